import { expect, test } from "vitest";
import { findStock, UnknownSkuError } from "../../src/index.ts";
import { setup } from "./setup.ts";

test("a change marks every listing of the article dirty, and asks a push of each account once", async () => {
  await using t = await setup();
  const second = await t.open();
  await t.list();
  await t.list(["S0"], second);

  const { accounts, stock } = await t.stock(
    { sku: "S0", quantity: 5 },
    { sku: "S1", quantity: 6, urgent: true },
  );

  expect(stock.map(({ sku, version }) => [sku, version])).toEqual([
    ["S0", 1n],
    ["S1", 1n],
  ]);
  expect(accounts).toEqual(
    expect.arrayContaining([
      { accountId: t.account.id, urgent: true, dueAt: null },
      { accountId: second.id, urgent: false, dueAt: null },
    ]),
  );
  expect(await t.listing("S0")).toMatchObject({ desiredQuantity: 5, dirty: true, urgent: false });
  expect(await t.listing("S1")).toMatchObject({ desiredQuantity: 6, dirty: true, urgent: true });
  expect(await t.listing("S2")).toMatchObject({ desiredQuantity: null, dirty: false });
});

test("of two changes of one article in a batch the later wins, as one change", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 5 }, { sku: "S0", quantity: 7 });
  expect(await t.listing("S0")).toMatchObject({ desiredQuantity: 7, desiredVersion: 1n });
  expect(await findStock(t.db.kysely, t.companyId, "S0")).toMatchObject({ quantity: 7 });
});

test("a quantity that is as it was changes nothing and asks for nothing", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 5 });
  const again = await t.stock({ sku: "S0", quantity: 5 });
  expect(again.accounts).toEqual([]);
  expect(again.stock).toMatchObject([{ version: 1n }]);
});

test("an unknown article is named, and nothing of the batch is changed", async () => {
  await using t = await setup();
  const refused = await t
    .stock({ sku: "S0", quantity: 5 }, { sku: "NONE", quantity: 1 })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UnknownSkuError);
  expect((refused as UnknownSkuError).skus).toEqual(["NONE"]);
  expect(await findStock(t.db.kysely, t.companyId, "S0")).toBeUndefined();
});

test("an article that is listed after its stock became known is told it", async () => {
  await using t = await setup();
  await t.stock({ sku: "S0", quantity: 5 });
  expect(await t.list()).toBe(1);
  expect(await t.listing("S0")).toMatchObject({ desiredQuantity: 5, dirty: true });
});

test("changes of the same articles at once, in any order, all commit", async () => {
  await using t = await setup({ articles: 20 });
  await t.list();
  const up = t.skus.map((sku, n) => ({ sku, quantity: n + 1 }));
  await Promise.all([
    t.stock(...up),
    t.stock(...up.toReversed().map((change) => ({ ...change, quantity: 7 }))),
    t.stock(...up.map((change) => ({ ...change, quantity: 9 }))),
  ]);
  for (const sku of t.skus) {
    const stock = await findStock(t.db.kysely, t.companyId, sku);
    expect((await t.listing(sku)).desiredQuantity).toBe(stock?.quantity);
  }
});
