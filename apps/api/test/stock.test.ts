import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("a change of stock asks for the push of each account that lists the article", async () => {
  await using t = await setup();
  const { companyId, accountId } = await t.shop();
  const set = await t.api.put("/v1/stock/STONE-20", { companyId, quantity: 12 }).expect(200);
  expect(set.body).toMatchObject({ sku: "STONE-20", quantity: 12, version: 1 });
  expect(set.body.pushes).toMatchObject([{ accountId }]);
  const job = await t.api.get(`/v1/jobs/${set.body.pushes[0].requestId}`).expect(200);
  expect(job.body).toMatchObject({ job: "push-stock", state: "waiting" });
  const read = await t.api.get(`/v1/stock/STONE-20?companyId=${companyId}`).expect(200);
  expect(read.body).toMatchObject({ quantity: 12 });
});

test("many changes at once are all taken, and ask for one push", async () => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const as = t.as(await t.keyFor(companyId));
  const got = await Promise.all(
    Array.from({ length: 200 }, (_, n) => as.put("/v1/stock/STONE-20", { quantity: n + 1 })),
  );
  expect(got.map(({ status }) => status)).toEqual(Array(200).fill(200));
  const pushes = await t.database.kysely
    .selectFrom("jobRuns")
    .select("id")
    .where("job", "=", "push-stock")
    .execute();
  expect(pushes).toHaveLength(1);
});

test("1,000 changes of one moment are one commit, in which the last value wins", async () => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const changer = { companyId, requestedBy: "test", traceparent: null };
  const sets = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) =>
      t.deps.stockChanges.set({ sku: "STONE-20", quantity: n + 1 }, changer),
    ),
  );
  expect(new Set(sets.map(({ stock }) => stock.version))).toEqual(new Set([1n]));
  expect(sets[0]?.stock.quantity).toBe(1_000);
});

test("an unknown article in a group is refused alone", async () => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const as = t.as(await t.keyFor(companyId));
  const [known, unknown, also] = await Promise.all(
    ["STONE-20", "NONE", "STONE-40"].map((sku) => as.put(`/v1/stock/${sku}`, { quantity: 3 })),
  );
  expect([known?.status, unknown?.status, also?.status]).toEqual([200, 404, 200]);
  expect(unknown?.body.detail).toBe(
    "there is no product NONE: create it first with PUT /v1/products/NONE",
  );
});

test.for<[string, object, string, number?]>([
  ["a negative quantity", { quantity: -1 }, "quantity", 0],
  ["a fraction", { quantity: 1.5 }, "quantity"],
  ["more than there can be", { quantity: 2 ** 31 }, "quantity", 2 ** 31 - 1],
  ["no quantity", {}, "quantity"],
])("%s of stock is refused, naming the field", async ([, body, path, limit]) => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const got = await t.as(await t.keyFor(companyId)).put("/v1/stock/STONE-20", body);
  expect(got).toMatchObject({
    status: 422,
    body: { errors: [{ path, ...(limit === undefined ? {} : { limit }) }] },
  });
});

test("bulk stock names each bad entry by its place, and changes nothing then", async () => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const as = t.as(await t.keyFor(companyId));
  const items = (count: number) =>
    Array.from({ length: count }, () => ({ sku: "STONE-20", quantity: 1 }));

  expect(await as.post("/v1/stock", { items: items(10_001) })).toMatchObject({
    status: 422,
    body: { errors: [{ path: "items", limit: 10_000 }] },
  });
  const bad = [...items(1), { sku: "STONE-40", quantity: -3 }, { sku: "NONE", quantity: 0.5 }];
  const refused = await as.post("/v1/stock", { items: bad });
  expect(refused.body.errors.map(({ path }: { path: string }) => path)).toEqual([
    "items.1.quantity",
    "items.2.quantity",
  ]);
  const unknown = await as.post("/v1/stock", {
    items: [...items(1), { sku: "NONE", quantity: 1 }],
  });
  expect(unknown).toMatchObject({ status: 422, body: { errors: [{ path: "items.1.sku" }] } });
  expect((await as.get("/v1/stock/STONE-20")).status).toBe(404);

  const set = await as.post("/v1/stock", { items: items(10_000) }).expect(200);
  expect(set.body).toMatchObject({ articles: 1, pushes: [{}] });
});

test("stock of a company that the key does not reach is not there", async () => {
  await using t = await setup();
  const { companyId } = await t.shop();
  const stranger = t.as(await t.keyFor((await t.tenant()).companyId));
  for (const body of [{ quantity: 1 }, { quantity: 1, companyId }])
    expect((await stranger.put("/v1/stock/STONE-20", body)).status).toBe(404);
  expect(await t.api.put("/v1/stock/STONE-20", { quantity: 1 })).toMatchObject({
    status: 422,
    body: { errors: [{ path: "companyId" }] },
  });
  const nowhere = { quantity: 1, companyId: randomUUID() };
  expect((await t.api.put("/v1/stock/STONE-20", nowhere)).status).toBe(404);
});
