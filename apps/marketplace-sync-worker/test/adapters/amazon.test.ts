import { expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

const kind = "amazon";
const plenty = { burst: 10_000, perSecond: 10_000 };

test("below the threshold each item is a call of its own", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(9),
    quota: plenty,
    settings: { feedFrom: 10 },
  });
  const outcomes = await t.push(...t.market.listings.map(({ sku }) => t.item(sku, 2)));
  expect(outcomes.every(({ outcome }) => outcome === "confirmed")).toBe(true);
  expect(t.market.counts()).toMatchObject({ calls: 9, writes: 9 });
});

test("from the threshold on one feed takes them all, and its report tells who was refused", async () => {
  await using t = await setup({ kind, stock: emptyStock(3_000), settings: { feedFrom: 600 } });
  const items = t.market.listings.map(({ sku }) => t.item(sku, 2));
  const outcomes = await t.push(...items.slice(0, 1_500), t.unknown("GONE"), ...items.slice(1_500));

  expect(outcomes).toHaveLength(3_001);
  expect(outcomes.filter(({ outcome }) => outcome !== "confirmed")).toMatchObject([
    { sku: "GONE", outcome: "rejected", code: "amazon_13013" },
  ]);
  expect(outcomes[1_500]?.sku).toBe("GONE");
  expect(new Set(t.market.stock.values())).toEqual(new Set([2]));
  // Document, feed, two looks, report: not 3,001.
  expect(t.market.counts()).toMatchObject({ calls: 5, writes: 1, items: 3_001 });
});

test("a feed that takes five minutes is posted once, and what it did is confirmed", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(2),
    settings: { feedFrom: 2 },
    feedLooks: 12,
  });
  expect(await t.push(t.item("SKU0", 1), t.item("SKU1", 1))).toMatchObject([
    { outcome: "confirmed" },
    { outcome: "confirmed" },
  ]);
  expect(t.waitedMs()).toBeGreaterThan(5 * 60_000);
  expect(t.market.counts()).toMatchObject({ writes: 1, calls: 16 });
});

test("a feed outlives an outage of those who tell of it", async () => {
  const isAway = (waitedMs: number) => waitedMs > 30_000 && waitedMs < 180_000;
  await using t = await setup({
    kind,
    stock: emptyStock(2),
    settings: { feedFrom: 2 },
    feedLooks: 4,
    beforeLook: (market, waitedMs) => market.setMode(isAway(waitedMs) ? "unavailable" : "up"),
  });
  expect(await t.push(t.item("SKU0", 1), t.item("SKU1", 1))).toMatchObject([
    { outcome: "confirmed" },
    { outcome: "confirmed" },
  ]);
  expect(t.market.counts()).toMatchObject({ writes: 1 });
});

test("a feed that takes for ever is given up before its attempt is", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(2),
    settings: { feedFrom: 2 },
    feedLooks: 1_000,
  });
  expect(await t.push(t.item("SKU0", 1), t.item("SKU1", 1))).toMatchObject([
    { outcome: "failed", code: "feed_unfinished" },
    { outcome: "failed", code: "feed_unfinished" },
  ]);
});

test("a feed costs nothing of the listings' quota, and its own slow rate is not taken for theirs", async () => {
  await using t = await setup({ kind, stock: emptyStock(2), settings: { feedFrom: 2 } });
  await t.push(t.item("SKU0", 1), t.item("SKU1", 1));
  expect(new Set(t.costs)).toEqual(new Set([0]));
  expect(t.throttles.every((throttle) => !("restorePerSecond" in throttle))).toBe(true);
});

test("the rate that an answer tells is learned", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), quota: { burst: 10, perSecond: 7.5 } });
  await t.push(t.item("SKU0", 1));
  expect(t.throttles.at(-1)).toMatchObject({ restorePerSecond: 7.5 });
});

test("the token is fetched once and kept", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), quota: plenty });
  await t.push(t.item("SKU0", 1));
  await t.push(t.item("SKU0", 2));
  expect(t.costs).toEqual([0, 1, 1]);
});

test("a token that ended early is replaced, and the call is made once more", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), quota: plenty });
  await t.push(t.item("SKU0", 1));
  t.market.endTokens();
  expect(await t.push(t.item("SKU0", 9))).toMatchObject([{ outcome: "confirmed" }]);
  expect(t.market.stock.get("SKU0")).toBe(9);
});

test("a refresh token that is not taken is `auth_failed`", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    credentials: { refreshToken: "Atzr|revoked" },
  });
  const error = await t.push(t.item("SKU0", 1)).catch((thrown) => thrown);
  expect(error.code).toBe("auth_failed");
  expect(error.message).toContain("invalid_grant");
  expect(error.message).not.toContain("revoked");
});

test("when the quota ends between calls, what was done stays done and the rest was not sent", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(20),
    quota: { burst: 4, perSecond: 0.01 },
  });
  const outcomes = await t.push(...t.market.listings.map(({ sku }) => t.item(sku, 1)));
  const done = outcomes.filter(({ outcome }) => outcome === "confirmed");
  expect(done).toHaveLength(4);
  for (const outcome of outcomes)
    if (outcome.outcome !== "confirmed") expect(outcome).toMatchObject({ code: "not_sent" });
});

test("more listings than one search shows are all read", async () => {
  const stock = Object.fromEntries(Array.from({ length: 2_050 }, (_, n) => [`SKU${n}`, n]));
  await using t = await setup({ kind, stock, quota: plenty });
  expect(await t.listAll()).toEqual(stock);
});

test("a SKU is a part of the address and stays in its place", async () => {
  await using t = await setup({ kind, stock: { "A/../B?x=1 ü": 0 }, quota: plenty });
  expect(await t.push(t.item("A/../B?x=1 ü", 3))).toMatchObject([{ outcome: "confirmed" }]);
});
