import { reconcileStock } from "@ballast/contracts";
import { findStock, setAccountPaused } from "@ballast/database";
import { expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

test("what a marketplace changed by itself is found, told again, and reported", async () => {
  await using t = await setup({ market: { stock: emptyStock(250) } });
  await t.stock(...t.skus.map((sku) => ({ sku, quantity: 9 })));
  await t.push();
  await t.push();
  await t.push();
  const drifted = t.market.drift(0.05);
  expect(drifted.length).toBeGreaterThan(0);

  expect(await t.run(reconcileStock)).toMatchObject({
    compared: 250,
    drifted: drifted.length,
    corrected: drifted.length,
    givenUp: 0,
  });
  expect(t.drifts).toHaveLength(drifted.length);
  expect(await t.waiting("push-stock")).toHaveLength(1);
  await t.push();
  expect([...t.market.stock.values()].every((quantity) => quantity === 9)).toBe(true);
  expect(await t.run(reconcileStock)).toMatchObject({ drifted: 0, corrected: 0 });
});

test("an item that fights back is corrected as often as its account allows, and then reported as given up", async () => {
  await using t = await setup({ market: { stock: emptyStock(3) } });
  await t.stock(...t.skus.map((sku) => ({ sku, quantity: 9 })));
  await t.push();
  t.market.drift(1);
  t.market.fightBack(["SKU1"]);
  const given: unknown[] = [];
  for (let night = 0; night < 4; night++) {
    given.push((await t.run(reconcileStock)).givenUp);
    await t.push();
  }
  expect(given).toEqual([0, 0, 1, 1]);
  expect(t.market.stock.get("SKU0")).toBe(9);
});

test("where theirs wins, a sale there becomes our stock", async () => {
  await using t = await setup({
    market: { stock: emptyStock(2) },
    account: { driftWinner: "theirs" },
  });
  await t.stock({ sku: "SKU0", quantity: 9 }, { sku: "SKU1", quantity: 9 });
  await t.push();
  t.market.drift(1);
  await t.run(reconcileStock);
  const stock = await findStock(t.db.kysely, t.company.id, "SKU0");
  expect(stock?.quantity).toBe(t.market.stock.get("SKU0"));
  expect(await t.waiting("push-stock")).toEqual([]);
});

test("a shop that compares before it sets takes ours after a comparison, although it sold one meanwhile", async () => {
  await using t = await setup({
    market: { kind: "shopify", stock: emptyStock(1) },
    settings: { compareAndSet: true },
  });
  await t.stock({ sku: "SKU0", quantity: 10 });
  await t.push();
  t.market.drift(1);
  await t.stock({ sku: "SKU0", quantity: 7 });
  expect(await t.push()).toMatchObject({ failed: 1 });
  expect(await t.listing("SKU0")).toMatchObject({ failedCode: "change_from_quantity_stale" });

  expect(await t.run(reconcileStock)).toMatchObject({ drifted: 1, corrected: 0 });
  await t.retryNow();
  expect(await t.push()).toMatchObject({ confirmed: 1 });
  expect(t.market.stock.get("SKU0")).toBe(7);
});

test.each([
  ["ebay", (sku: string) => `${sku}/36445435465`],
  ["shopify", (gid: string) => gid.replace("gid://shopify/InventoryItem/", "")],
] as const)(
  "a listing at %s is found by every id that may be given for it",
  async (kind, named) => {
    await using t = await setup({ market: { kind, stock: emptyStock(2) }, named });
    await t.stock(...t.skus.map((sku) => ({ sku, quantity: 9 })));
    await t.push();
    t.market.drift(1);
    expect(await t.run(reconcileStock)).toMatchObject({ missing: 0, drifted: 2, corrected: 2 });
    await t.push();
    expect([...t.market.stock.values()]).toEqual([9, 9]);
  },
);

test("a paused account is left alone", async () => {
  await using t = await setup({ market: { stock: emptyStock(1) } });
  await t.db.transaction((tx) => setAccountPaused(tx, t.account.id, true));
  expect(await t.run(reconcileStock)).toMatchObject({ reportId: null });
  expect(t.market.counts().calls).toBe(0);
});
