import { randomUUID } from "node:crypto";
import { listActions, parkStillborn } from "@ballast/database";
import { expect, test } from "vitest";
import { accountExample } from "../src/routes/examples.ts";
import { setup } from "./setup.ts";

const reason = "a test";

test("credentials go in and never come out, whatever is asked", async () => {
  await using t = await setup();
  const { path, companyId } = await t.shop();
  const secret = accountExample.credentials.accessToken;
  const got = await t.api.get(path).expect(200);
  expect(got.body.credentials).toMatchObject({ fields: ["accessToken"], keyId: "test" });
  const texts = [
    got.text,
    (await t.api.get("/v1/marketplace-accounts")).text,
    (await t.api.put(path, { ...accountExample, companyId })).text,
    (await t.api.post(`${path}/pause`, { reason })).text,
    (await t.api.get(`${path}/status`)).text,
    JSON.stringify(await listActions(t.database.kysely, "all")),
  ];
  for (const text of texts) expect(text).not.toContain(secret);
});

test("an account that is changed without credentials keeps those it has", async () => {
  await using t = await setup();
  const { path } = await t.shop();
  const before = (await t.api.get(path)).body;
  const { credentials: _, ...rules } = accountExample;
  const changed = await t.api.put(path, { ...rules, name: "Renamed" }).expect(200);
  expect(changed.body).toMatchObject({ name: "Renamed", credentials: before.credentials });
});

const secrets = {
  shopify: { accessToken: "shpat_kept" },
  woocommerce: { consumerKey: "ck_kept", consumerSecret: "cs_kept" },
  app: { clientId: "app", clientSecret: "kept", refreshToken: "kept" },
  "generic-rest": { token: "kept" },
};
const shop = { shop: "acme.myshopify.com", locationId: "7" };
const seller = { region: "eu", marketplaceId: "A1PA6795UKMFR9", sellerId: "A2EXAMPLE" };
const proxied = { endpoint: "https://proxy.example/ebay" };
const rest = { push: { path: "/stock", body: {} } };

test.for<[string, object, object, object, string]>([
  ["shopify", secrets.shopify, shop, { ...shop, endpoint: "https://evil.example" }, "endpoint"],
  ["shopify", secrets.shopify, shop, { ...shop, shop: "evil.myshopify.com" }, "shop"],
  [
    "woocommerce",
    secrets.woocommerce,
    { url: "https://shop.example" },
    { url: "http://shop.example" }, // the same host, for all on the way to read
    "url",
  ],
  ["amazon", secrets.app, seller, { ...seller, endpoint: "https://evil.example" }, "endpoint"],
  [
    "amazon",
    secrets.app,
    seller,
    { ...seller, loginEndpoint: "https://evil.example" },
    "loginEndpoint",
  ],
  ["ebay", secrets.app, {}, { endpoint: "https://evil.example" }, "endpoint"],
  ["ebay", secrets.app, proxied, {}, "endpoint"],
  [
    "generic-rest",
    secrets["generic-rest"],
    { ...rest, baseUrl: "https://api.example" },
    { ...rest, baseUrl: "https://api.example:8443" },
    "baseUrl",
  ],
])("what is kept for %s is not sent to an address it was not given for", async (row) => {
  const [kind, credentials, settings, elsewhere, field] = row;
  await using t = await setup();
  const { companyId } = await t.tenant();
  const path = `/v1/marketplace-accounts/${randomUUID()}`;
  const account = { kind, companyId, name: "Kept", settings };
  await t.api.put(path, { ...account, credentials }).expect(201);

  const moved = { ...account, settings: elsewhere };
  expect(await t.api.put(path, moved)).toMatchObject({
    status: 422,
    body: {
      errors: [
        {
          path: `settings.${field}`,
          message: expect.stringContaining("send the credentials again"),
        },
      ],
    },
  });
  expect((await t.api.get(path)).body.settings).toMatchObject(settings);
  await t.api.put(path, { ...moved, credentials }).expect(200);
});

test("another path of the same address needs no credentials", async () => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const path = `/v1/marketplace-accounts/${randomUUID()}`;
  const account = { kind: "ebay", companyId, name: "Kept", settings: proxied };
  await t.api.put(path, { ...account, credentials: secrets.app }).expect(201);
  const settings = { endpoint: "https://PROXY.example:443/ebay/v2/", dailyCalls: 5_000 };
  await t.api.put(path, { ...account, settings }).expect(200);
});

test.for<[string, object, string]>([
  ["an unknown kind", { kind: "fleamarket" }, "kind"],
  ["no credentials", { credentials: undefined }, "credentials"],
  ["a missing credential field", { credentials: {} }, "credentials.accessToken"],
  [
    "a credential that is none of this kind",
    { credentials: { accessToken: "x", pin: "1" } },
    "credentials.pin",
  ],
  ["a missing setting", { settings: { shop: "a.myshopify.com" } }, "settings.locationId"],
  [
    "a misspelt setting",
    { settings: { ...accountExample.settings, shopp: "x" } },
    "settings.shopp",
  ],
  [
    "no such zone",
    { reconcile: { cron: "0 3 * * *", timeZone: "Mars/Olympus" } },
    "reconcile.timeZone",
  ],
  ["no cron", { reconcile: { cron: "nightly", timeZone: "Europe/Berlin" } }, "reconcile.cron"],
])("%s is refused, naming the field", async ([, change, path]) => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const body = { ...accountExample, companyId, ...change };
  const got = await t.api.put(`/v1/marketplace-accounts/${randomUUID()}`, body);
  expect(got).toMatchObject({ status: 422, body: { errors: [expect.objectContaining({ path })] } });
});

test("the kind of an account stays, and a key that reaches another company does not reach it", async () => {
  await using t = await setup();
  const { path } = await t.shop();
  const other = { kind: "ebay", name: "x", settings: {} };
  expect(await t.api.put(path, other)).toMatchObject({
    status: 422,
    body: { errors: [{ path: "kind" }] },
  });
  const stranger = t.as(await t.keyFor((await t.tenant()).companyId));
  expect((await stranger.put(path, accountExample)).status).toBe(404);
  expect((await stranger.get(path)).status).toBe(404);
});

test("listings that name an unknown or a listed article are refused by their place", async () => {
  await using t = await setup();
  const { path } = await t.shop();
  const put = (...listings: object[]) => t.api.put(`${path}/listings`, { listings });
  const errorsOf = async (...listings: object[]) =>
    (await put(...listings)).body.errors.map((error: { path: string }) => error.path);
  expect(await errorsOf({ sku: "NONE", externalId: "1" })).toEqual(["listings.0.sku"]);
  expect(await errorsOf({ sku: "STONE-40", externalId: "x-STONE-20" })).toEqual([
    "listings.0.externalId",
  ]);
  const twice = { sku: "STONE-20", externalId: "1" };
  expect(await errorsOf(twice, twice)).toEqual(["listings.1.sku", "listings.1.externalId"]);
});

test("a paused account is told nothing until it is resumed, and both are on record", async () => {
  await using t = await setup();
  const { path, companyId, accountId } = await t.shop();
  await t.api.post(`${path}/pause`, { reason }).expect(200);
  const set = await t.api.put("/v1/stock/STONE-20", { companyId, quantity: 4 }).expect(200);
  expect(set.body.pushes).toEqual([]);
  for (const verb of ["sync", "reconcile"])
    expect(await t.api.post(`${path}/${verb}`, { reason })).toMatchObject({
      status: 409,
      body: { type: "/problems#account-paused" },
    });
  await t.api.post(`${path}/resume`, { reason }).expect(200);
  expect(await t.store.claim(10, 1_000, {})).toMatchObject([{ job: "push-stock" }]);

  const { actions } = await listActions(t.database.kysely, "all", { targetId: accountId });
  expect(actions.map(({ action }) => action)).toEqual(
    expect.arrayContaining(["pause-marketplace-account", "resume-marketplace-account"]),
  );
});

test("the status of an account tells its backlog, and no forecast that nothing bears out", async () => {
  await using t = await setup();
  const { path, companyId } = await t.shop();
  await t.api.put("/v1/stock/STONE-20", { companyId, quantity: 4, urgent: true }).expect(200);
  expect((await t.api.get(`${path}/status`)).body).toMatchObject({
    paused: false,
    gate: { state: "open" },
    quota: null,
    backlog: { dirty: 1, urgent: 1, parked: 0 },
    forecast: null,
  });
  expect((await t.api.get(`${path}/drift`)).body).toEqual({ reports: [], nextCursor: null });
});

test("the letter of a listing that is put again, or taken off, is closed by that and says by whom", async () => {
  await using t = await setup();
  const { path, accountId, companyId } = await t.shop();
  const park = (sku: string) =>
    t.database.transaction((tx) =>
      parkStillborn(
        tx,
        [
          {
            queue: "marketplace-sync",
            job: "push-listing",
            version: 1,
            payload: { accountId, sku },
            companyId,
            subject: `marketplace-account:${accountId}`,
            priority: 10,
            deadlineAt: new Date(),
            code: "listing_rejected",
            message: "unknown_sku",
          },
        ],
        "push-stock",
      ),
    );
  const [[put = ""], [removed = ""], [open = ""]] = [
    await park("STONE-20"),
    await park("STONE-40"),
    await park("STONE-60"),
  ];
  const listings = [{ sku: "STONE-20", externalId: "corrected" }];
  await t.api.put(`${path}/listings`, { listings }).expect(200);
  await t.api.delete(`${path}/listings/STONE-40`).expect(204);

  const letterOf = async (id: string) => (await t.api.get(`/v1/dead-letters/${id}`)).body;
  expect(await letterOf(put)).toMatchObject({
    state: "discarded",
    settled: { reason: expect.stringContaining("put again") },
  });
  expect((await letterOf(removed)).state).toBe("discarded");
  expect((await letterOf(open)).state).toBe("open");
  const { actions } = await listActions(t.database.kysely, companyId, { targetId: put });
  expect(actions).toMatchObject([{ action: "discard-letter", before: { state: "open" } }]);
});
