import { expect, test } from "vitest";
import { z } from "zod";
import { addressFields, credentialFields, MarketplaceKind, marketplaces } from "../src/index.ts";

const genericSettings = {
  baseUrl: "https://api.example.org/v2",
  push: { path: "/stock", body: { items: { $each: { id: "{externalId}", qty: "{quantity}" } } } },
};

test.each(MarketplaceKind.options)("every credential of %s is write-only in its schema", (kind) => {
  const { properties } = z.toJSONSchema(marketplaces[kind].credentials);
  expect(Object.keys(properties ?? {})).toEqual(credentialFields(kind));
  for (const field of Object.values(properties ?? {}))
    expect(field).toMatchObject({ writeOnly: true });
});

test.each(MarketplaceKind.options)("a missing credential of %s is named", (kind) => {
  const parsed = marketplaces[kind].credentials.safeParse({});
  expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual(credentialFields(kind));
});

test("the settings that say where credentials are sent are known for each kind", () => {
  const fields = MarketplaceKind.options.map((kind) => [kind, addressFields(kind)]);
  expect(Object.fromEntries(fields)).toEqual({
    shopify: ["shop", "endpoint"],
    woocommerce: ["url"],
    amazon: ["endpoint", "loginEndpoint"],
    ebay: ["endpoint"],
    "generic-rest": ["baseUrl"],
  });
});

test.each(MarketplaceKind.options)("no setting of %s is an address unnoticed", (kind) => {
  const schema = z.toJSONSchema(marketplaces[kind].settings, { io: "input" });
  const urls = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    JSON.stringify(property).includes('"format":"uri"') ? [name] : [],
  );
  expect(addressFields(kind)).toEqual(expect.arrayContaining(urls));
});

test("a credential that would end its header's line is refused", () => {
  const parsed = marketplaces.shopify.credentials.safeParse({
    accessToken: "shpat_1\r\nX-Evil: 1",
  });
  expect(parsed.error?.issues[0]?.path).toEqual(["accessToken"]);
});

test("generic-rest needs an address and a body, and has a default for everything else", () => {
  expect(marketplaces["generic-rest"].settings.parse(genericSettings)).toMatchObject({
    auth: { header: "Authorization", value: "Bearer {token}" },
    push: { method: "POST", maxBatch: 100, results: { error: "/error" }, rejectedCodes: [] },
    throttle: { throttledWhen: [{ status: 429 }] },
  });
});

test.each([
  ["credentials", "https://user:pass@api.example.org"],
  ["another protocol", "file:///etc/passwd"],
  ["a query", "https://api.example.org/?token=1"],
])("an address with %s is refused", (_what, baseUrl) => {
  const parsed = marketplaces["generic-rest"].settings.safeParse({ ...genericSettings, baseUrl });
  expect(parsed.error?.issues[0]?.path).toEqual(["baseUrl"]);
});

test("a shop of Shopify is named by its own domain, so that no other host gets its token", () => {
  const settings = (shop: string) =>
    marketplaces.shopify.settings.safeParse({ shop, locationId: "7" }).success;
  expect(settings("acme.myshopify.com")).toBe(true);
  expect(settings("acme.myshopify.com.evil.example")).toBe(false);
  expect(settings("evil.example/acme.myshopify.com")).toBe(false);
});
