import { startHttpRecorder } from "@ballast/testing";
import { expect, test } from "vitest";
import { openAdapter } from "../../src/adapters/open-adapter.ts";
import { openRemoteHttp } from "../../src/http/remote-http.ts";
import { keptLog } from "../kept-log.ts";
import { emptyStock, openGuard, setup } from "./setup.ts";

const kind = "woocommerce";
const plenty = { burst: 1_000, perSecond: 1_000 };

test("products go in one batch, variations in one for each product, as the API wants them", async () => {
  // Of the double's listings every tenth is a variation of one product.
  await using t = await setup({ kind, stock: emptyStock(100), quota: plenty });
  const outcomes = await t.push(...t.market.listings.map(({ sku }) => t.item(sku, 4)));
  expect(outcomes.every(({ outcome }) => outcome === "confirmed")).toBe(true);
  expect(new Set(t.market.stock.values())).toEqual(new Set([4]));
  expect(t.market.counts()).toMatchObject({ calls: 2, items: 100 });
});

test("a product and a variation that do not exist are rejected, each by its own error", async () => {
  await using t = await setup({ kind, stock: emptyStock(10), quota: plenty });
  const outcomes = await t.push(
    t.item("SKU0", 1),
    t.item("SKU1", 1, { externalId: "9" }),
    t.item("SKU9", 1, { externalId: "500/9" }),
  );
  expect(outcomes).toMatchObject([
    { outcome: "confirmed" },
    { outcome: "rejected", code: "woocommerce_rest_product_invalid_id" },
    { outcome: "rejected", code: "woocommerce_rest_product_variation_invalid_id" },
  ]);
});

test("what cannot be an id is rejected without asking", async () => {
  await using t = await setup({ kind, stock: emptyStock(1), quota: plenty });
  const outcomes = await t.push(
    t.item("SKU0", 1, { externalId: "12/../../users" }),
    t.item("SKU0", 3),
  );
  expect(outcomes).toMatchObject([
    { outcome: "rejected", code: "invalid_external_id" },
    { outcome: "confirmed" },
  ]);
});

test("when the second batch finds the quota used up, the first stays done and the rest was not sent", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(20),
    quota: { burst: 1, perSecond: 0.001 },
  });
  const outcomes = await t.push(t.item("SKU0", 1), t.item("SKU9", 1));
  expect(outcomes).toMatchObject([
    { sku: "SKU0", outcome: "confirmed" },
    { sku: "SKU9", outcome: "failed", code: "not_sent" },
  ]);
  // Asked again, it is the error that tells how long to wait.
  const error = await t.push(t.item("SKU9", 1)).catch((thrown) => thrown);
  expect(error.code).toBe("rate_limited");
  expect(error.retryAfterMs).toBeGreaterThan(900_000);
});

test("the host's Retry-After is honoured as a date, too", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 1, perSecond: 0.001 },
    retryAfter: "date",
  });
  await t.push(t.item("SKU0", 1));
  const error = await t.push(t.item("SKU0", 1)).catch((thrown) => thrown);
  expect(error.code).toBe("rate_limited");
  expect(error.retryAfterMs).toBeGreaterThan(900_000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(1_001_000);
});

test("variations are listed with the product they belong to", async () => {
  await using t = await setup({ kind, stock: { ...emptyStock(19), last: 5 }, quota: plenty });
  expect(await t.listAll()).toMatchObject({ "1000": 0, "500/1009": 0, "500/1019": 5 });
});

test("a batch that is answered by all texts of its products is read to the end", async () => {
  const ids = Array.from({ length: 100 }, (_, n) => n + 1);
  const update = ids.map((id) => ({ id, description: "<p>".padEnd(30_000, "x") }));
  await using shop = await startHttpRecorder({ kind: "answer", status: 200, body: { update } });
  await using http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const adapter = openAdapter({
    kind,
    settings: { url: shop.url },
    credentials: { consumerKey: "ck_1", consumerSecret: "cs_1" },
    guard: openGuard().guard,
    http,
  });
  const items = ids.map((id) => ({ sku: `SKU${id}`, externalId: String(id), quantity: 1 }));
  const outcomes = await adapter.push(items, new AbortController().signal);
  expect(outcomes.filter(({ outcome }) => outcome === "confirmed")).toHaveLength(100);
});
