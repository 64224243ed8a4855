import { DependencyDownError } from "@ballast/jobs";
import { expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

const kind = "shopify";

test("250 items are one call of 10 points", async () => {
  await using t = await setup({ kind, stock: emptyStock(250) });
  const outcomes = await t.push(...t.market.listings.map(({ sku }) => t.item(sku, 3)));
  expect(outcomes.every(({ outcome }) => outcome === "confirmed")).toBe(true);
  expect(t.market.counts()).toMatchObject({ calls: 1, items: 250 });
  expect(t.costs).toEqual([10]);
});

test("one refused item fails its whole call there, so the others are sent again without it", async () => {
  await using t = await setup({ kind, stock: emptyStock(3) });
  const outcomes = await t.push(t.item("SKU0", 1), t.unknown("GONE"), t.item("SKU2", 2));
  expect(outcomes).toMatchObject([
    { outcome: "confirmed" },
    { outcome: "rejected", code: "invalid_inventory_item" },
    { outcome: "confirmed" },
  ]);
  expect(t.market.counts()).toMatchObject({ calls: 2, items: 5 });
});

test("an id that is no inventory item's is rejected without asking", async () => {
  await using t = await setup({ kind, stock: emptyStock(1) });
  const [outcome] = await t.push(t.item("SKU0", 1, { externalId: "gid://shopify/Product/5" }));
  expect(outcome).toMatchObject({ outcome: "rejected", code: "invalid_external_id" });
  expect(t.market.counts().calls).toBe(0);
});

test("an inventory item may be given as its number alone", async () => {
  await using t = await setup({ kind, stock: emptyStock(1) });
  const [outcome] = await t.push(t.item("SKU0", 6, { externalId: "1000" }));
  expect(outcome).toMatchObject({ outcome: "confirmed" });
  expect(t.market.stock.get("SKU0")).toBe(6);
});

test("the bucket is read from the answer: size, what is left, what comes back, what it cost", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 1_000, perSecond: 50 },
  });
  await t.push(t.item("SKU0", 1));
  expect(t.throttles).toEqual([
    { isThrottled: false, capacity: 1_000, remaining: 990, restorePerSecond: 50, cost: 10 },
  ]);
});

test("THROTTLED inside a 200 asks for exactly the time in which the points come back", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 10, perSecond: 0.01 },
  });
  await t.push(t.item("SKU0", 1));
  await expect(t.push(t.item("SKU0", 2))).rejects.toMatchObject({
    code: "rate_limited",
    retryAfterMs: 1_000_000, // 10 points at 0.01 a second
  });
  expect(t.market.stock.get("SKU0")).toBe(1);
});

test("a listing costs what the last one did", async () => {
  await using t = await setup({ kind, stock: emptyStock(300) });
  await t.listAll();
  expect(t.costs).toEqual([150, 127]);
});

test("with compare-and-set a sale that we have not heard of is not overwritten", async () => {
  await using t = await setup({
    kind,
    stock: { A: 8, B: 5 },
    settings: { compareAndSet: true },
  });
  const outcomes = await t.push(
    t.item("A", 20, { confirmed: 9 }), // one was sold since
    t.item("B", 20, { confirmed: 5 }),
  );
  expect(outcomes).toMatchObject([
    { outcome: "failed", code: "change_from_quantity_stale" },
    { outcome: "confirmed" },
  ]);
  expect(Object.fromEntries(t.market.stock)).toEqual({ A: 8, B: 20 });
});

test("without it our stock wins, and Shopify is told so on purpose", async () => {
  await using t = await setup({ kind, stock: { A: 8 } });
  expect(await t.push(t.item("A", 20, { confirmed: 9 }))).toMatchObject([{ outcome: "confirmed" }]);
});

test("a location that is not there is the account's fault, not an item's", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), settings: { locationId: "8" } });
  await expect(t.push(t.item("SKU0", 1))).rejects.toMatchObject({ code: "location_unknown" });
  await expect(t.listAll()).rejects.toMatchObject({ code: "location_unknown" });
});

test("a wrong token is told as such", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), credentials: { accessToken: "old" } });
  const pushing = t.push(t.item("SKU0", 1));
  await expect(pushing).rejects.toBeInstanceOf(DependencyDownError);
  await expect(pushing).rejects.toMatchObject({ code: "auth_failed" });
});
