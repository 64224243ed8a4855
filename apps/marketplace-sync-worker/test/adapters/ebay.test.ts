import { expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

const kind = "ebay";

test("25 items are one call", async () => {
  await using t = await setup({ kind, stock: emptyStock(25) });
  await t.push(...t.market.listings.map(({ sku }) => t.item(sku, 4)));
  expect(t.market.counts()).toMatchObject({ calls: 1, items: 25 });
});

test("a 400 in which every item has its own status is read item by item", async () => {
  await using t = await setup({ kind, stock: emptyStock(1) });
  expect(await t.push(t.unknown("GONE"), t.unknown("ALSO"))).toMatchObject([
    { sku: "GONE", outcome: "rejected", code: "ebay_25702" },
    { sku: "ALSO", outcome: "rejected", code: "ebay_25702" },
  ]);
});

test("a day's quota that is used up is waited for until eBay's own reset", async () => {
  // 2 calls in a window of 2,000 s.
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 2, perSecond: 0.001 },
  });
  await t.push(t.item("SKU0", 1));
  await t.push(t.item("SKU0", 2));
  const error = await t.push(t.item("SKU0", 3)).catch((thrown) => thrown);
  expect(error.code).toBe("rate_limited");
  expect(error.retryAfterMs).toBeGreaterThan(1_800_000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(2_000_000);
  expect(t.throttles.at(-1)).toEqual({ isThrottled: true, retryAfterMs: error.retryAfterMs });
});

test("a reset that is further away than a day is waited for a day", async () => {
  // 2 calls in a window of 200,000 s.
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 2, perSecond: 0.00001 },
  });
  await t.push(t.item("SKU0", 1));
  await t.push(t.item("SKU0", 2));
  const error = await t.push(t.item("SKU0", 3)).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "rate_limited", retryAfterMs: 24 * 3_600_000 });
});

test("an item and its offer are told in one request", async () => {
  await using t = await setup({ kind, stock: emptyStock(1) });
  const [outcome] = await t.push(t.item("SKU0", 5, { externalId: "SKU0/36445435465" }));
  expect(outcome).toMatchObject({ outcome: "confirmed" });
  expect(t.market.stock.get("SKU0")).toBe(5);
});

test("a token that ended early is replaced, and the call is made once more", async () => {
  await using t = await setup({ kind, stock: emptyStock(1) });
  await t.push(t.item("SKU0", 1));
  t.market.endTokens();
  expect(await t.push(t.item("SKU0", 9))).toMatchObject([{ outcome: "confirmed" }]);
});
