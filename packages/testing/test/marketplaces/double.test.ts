import { expect, test } from "vitest";
import { type MarketplaceDouble, startMarketplaceDouble } from "../../src/marketplaces/double.ts";
import { tokenBucket } from "../../src/token-bucket.ts";

const plenty = { burst: 1_000, perSecond: 1_000 };

const ask = (market: MarketplaceDouble, path: string, body?: unknown, token = market.token) =>
  fetch(market.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

test("known articles are written although others of the batch fail, each with its own error", async () => {
  await using market = await startMarketplaceDouble({
    stock: { "A-1": 0, "A-2": 5 },
    quota: plenty,
  });
  const items = [
    { sku: "A-1", quantity: 7 },
    { sku: "B-9", quantity: 1 },
    { sku: "A-2", quantity: -1 },
  ];

  const answer = await ask(market, "/stock", { items });

  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    results: [
      { sku: "A-1", status: "ok" },
      { sku: "B-9", status: "error", error: { code: "unknown_sku" } },
      { sku: "A-2", status: "error", error: { code: "invalid_quantity" } },
    ],
  });
  expect(Object.fromEntries(market.stock)).toEqual({ "A-1": 7, "A-2": 5 });
});

test("a batch of 101 items is refused as a whole", async () => {
  await using market = await startMarketplaceDouble({ stock: { "A-1": 0 }, quota: plenty });
  const items = Array.from({ length: 101 }, () => ({ sku: "A-1", quantity: 1 }));
  expect((await ask(market, "/stock", { items })).status).toBe(422);
  expect(market.stock.get("A-1")).toBe(0);
});

test("beyond its quota it answers 429 and says when to come back", async () => {
  await using market = await startMarketplaceDouble({
    stock: {},
    quota: { burst: 2, perSecond: 0.1 },
  });
  const statuses = [await ask(market, "/stock"), await ask(market, "/stock")].map((a) => a.status);
  expect(statuses).toEqual([200, 200]);

  const refused = await ask(market, "/stock");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("ratelimit-remaining")).toBe("0");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(5);
  expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(10);
});

test("an outage is switched on and off from outside, and a wrong token reaches nothing", async () => {
  await using market = await startMarketplaceDouble({ stock: {}, quota: plenty });
  expect((await ask(market, "/_control", { mode: "unavailable" }, "guess")).status).toBe(401);
  expect((await ask(market, "/stock", undefined, "guess")).status).toBe(401);

  expect((await ask(market, "/_control", { mode: "unavailable" })).status).toBe(200);
  expect((await ask(market, "/stock")).status).toBe(503);
  expect((await ask(market, "/_control", { mode: "reset" })).status).toBe(200);
  await expect(ask(market, "/stock")).rejects.toThrow();
  expect((await ask(market, "/_control", { mode: "up" })).status).toBe(200);
  expect((await ask(market, "/stock")).status).toBe(200);
});

test("while it is flaky the same seed fails the same requests", async () => {
  const outcomes = async (seed: number) => {
    await using market = await startMarketplaceDouble({ stock: {}, quota: plenty, seed });
    market.setMode("flaky");
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) statuses.push((await ask(market, "/stock")).status);
    return statuses;
  };
  const first = await outcomes(7);
  expect(new Set(first)).toEqual(new Set([200, 503]));
  expect(await outcomes(7)).toEqual(first);
  expect(await outcomes(8)).not.toEqual(first);
});

test("a token bucket refills with time and never beyond its capacity", () => {
  let time = 0;
  const take = tokenBucket(2, 1, () => time);
  expect([take().granted, take().granted]).toEqual([true, true]);
  expect(take()).toMatchObject({ granted: false, retryAfterMs: 1_000 });
  time += 1_000;
  expect(take().granted).toBe(true);
  time += 60_000;
  expect(take().remaining).toBe(1);
});
