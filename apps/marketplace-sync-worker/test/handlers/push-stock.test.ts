import { pushListing } from "@ballast/contracts";
import { DependencyDownError, RateLimitedError } from "@ballast/jobs";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

test("10,000 changed articles at an API that takes 100 end as 100 calls", async () => {
  await using t = await setup({ market: { stock: emptyStock(10_000) }, budgetMs: 300_000 });
  await t.stock(...t.skus.map((sku, n) => ({ sku, quantity: n + 1 })));

  expect(await t.push()).toMatchObject({ batches: 100, confirmed: 10_000, left: "nothing" });
  expect(t.market.counts()).toMatchObject({ writes: 100, items: 10_000 });
  expect(t.market.stock.get("SKU9999")).toBe(10_000);
  expect(await t.waiting("push-stock")).toEqual([]);
}, 300_000);

test("1,000 changes of one article within a window end as two calls, the last value on the marketplace", async () => {
  await using t = await setup({
    market: { stock: emptyStock(1) },
    account: { minPushIntervalMs: 3_600_000 },
  });
  await t.stock({ sku: "SKU0", quantity: 1 });
  await t.push();
  for (let quantity = 2; quantity <= 1_000; quantity++) await t.stock({ sku: "SKU0", quantity });

  expect(await t.push()).toMatchObject({ batches: 0, left: "coalescing" });
  const [next] = await t.waiting("push-stock");
  expect(next?.dueAt?.getTime()).toBeGreaterThan(Date.now());
  // The window ends.
  await t.db.kysely
    .updateTable("marketplaceAccounts")
    .set({ lastPushAt: new Date(0) })
    .execute();
  await t.push();
  expect(t.market.counts()).toMatchObject({ writes: 2, items: 2 });
  expect(t.market.stock.get("SKU0")).toBe(1_000);
}, 300_000);

test("an article that changes during the call is told again by the next push, which is asked for", async () => {
  const changed = Promise.withResolvers<void>();
  await using t = await setup({
    market: { stock: emptyStock(1), slowUntil: changed.promise },
  });
  await t.stock({ sku: "SKU0", quantity: 1 });
  t.market.setMode("slow");
  const pushing = t.push();
  await until(() => t.market.counts().calls > 0);
  await t.stock({ sku: "SKU0", quantity: 2 });
  changed.resolve();

  expect(await pushing).toMatchObject({ confirmed: 1, left: "coalescing" });
  expect(await t.listing("SKU0")).toMatchObject({ dirty: true, confirmedQuantity: 1 });
  expect(await t.waiting("push-stock")).toHaveLength(1);
  t.market.setMode("up");
  expect(await t.push()).toMatchObject({ confirmed: 1, left: "nothing" });
  expect(t.market.stock.get("SKU0")).toBe(2);
});

test("an item that can never work is parked with a letter of its own, and its batch goes on", async () => {
  await using t = await setup({ market: { stock: emptyStock(3) } });
  await t.addArticle("GONE", "no-such-article");
  await t.stock(...["SKU0", "GONE", "SKU2"].map((sku) => ({ sku, quantity: 4 })));

  expect(await t.push()).toMatchObject({ confirmed: 2, rejected: 1, left: "nothing" });
  const letters = await t.db.kysely.selectFrom("deadLetters").selectAll().execute();
  expect(letters).toMatchObject([
    {
      job: "push-listing",
      code: "listing_rejected",
      message: expect.stringContaining("unknown_sku"),
      companyId: t.company.id,
      payload: { accountId: t.account.id, sku: "GONE" },
    },
  ]);
  await t.stock({ sku: "GONE", quantity: 5 });
  expect(await t.push()).toMatchObject({ batches: 0 });

  // The letter's replay.
  expect(await t.run(pushListing, { sku: "GONE" })).toEqual({ unparked: true });
  expect(await t.waiting("push-stock")).toHaveLength(1);
  expect(await t.run(pushListing, { sku: "GONE" })).toEqual({ unparked: false });
  expect(await t.push()).toMatchObject({ rejected: 1 });
});

test("an account whose push died is asked for again, not at once, but as soon as it was changed", async () => {
  await using t = await setup({ market: { stock: emptyStock(1) } });
  const asked = async () => {
    await t.revive();
    return (await t.waiting("push-stock")).length;
  };
  expect(await asked()).toBe(0); // nothing to be told
  await t.stock({ sku: "SKU0", quantity: 1 });
  await t.pushDied();
  expect(await asked()).toBe(0);
  await t.db.kysely.updateTable("marketplaceAccounts").set({ updatedAt: new Date() }).execute();
  expect(await asked()).toBe(1);
  expect(await asked()).toBe(1);
});

test("a push that used up its time asks for the next one, which goes on at once", async () => {
  await using t = await setup({
    market: { stock: emptyStock(250) },
    account: { minPushIntervalMs: 3_600_000 },
    budgetMs: 0,
  });
  await t.stock(...t.skus.map((sku) => ({ sku, quantity: 3 })));
  expect(await t.push()).toMatchObject({ batches: 1, confirmed: 100, left: "time_budget" });
  const [next] = await t.waiting("push-stock");
  expect(next?.dueAt?.getTime() ?? 0).toBeLessThan(Date.now() + 60_000);
  expect(await t.push()).toMatchObject({ batches: 1, confirmed: 100, left: "time_budget" });
  expect(await t.push()).toMatchObject({ batches: 1, confirmed: 50, left: "nothing" });
});

test("a marketplace that is away or throttles ends the push with an error that postpones, and nothing is lost", async () => {
  await using t = await setup({
    market: { stock: emptyStock(1), quota: { burst: 1, perSecond: 0.01 } },
  });
  await t.stock({ sku: "SKU0", quantity: 1 });
  t.market.setMode("unavailable");
  await expect(t.push()).rejects.toThrow(DependencyDownError);
  expect(await t.listing("SKU0")).toMatchObject({ dirty: true, rejectedAt: null });
  t.market.setMode("up");
  expect(await t.push()).toMatchObject({ confirmed: 1 });
  await t.stock({ sku: "SKU0", quantity: 2 });
  await expect(t.push()).rejects.toThrow(RateLimitedError);
  expect(await t.listing("SKU0")).toMatchObject({ dirty: true, confirmedQuantity: 1 });
});

test("an account of another company is not there", async () => {
  await using t = await setup({ market: { stock: emptyStock(1) } });
  await expect(t.run(pushListing, { accountId: crypto.randomUUID(), sku: "SKU0" })).rejects.toThrow(
    /no marketplace account/,
  );
});
