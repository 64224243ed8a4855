import { expect, test } from "vitest";
import { startMarketplaceDouble } from "../../src/marketplaces/double.ts";

async function setup() {
  const market = await startMarketplaceDouble({
    kind: "ebay",
    stock: { A: 5, B: 0 },
    token: "operator",
  });
  const control = (body?: unknown, token = "operator") =>
    fetch(`${market.url}/_control`, {
      method: body === undefined ? "GET" : "POST",
      headers: { Authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    market,
    control,
    [Symbol.asyncDispose]: () => market[Symbol.asyncDispose](),
  };
}

test("mode, counts and stock are told, whatever the kind and while it is down", async () => {
  await using t = await setup();
  await t.control({ mode: "reset" });
  await expect(fetch(t.market.url)).rejects.toThrow();
  expect(await (await t.control()).json()).toEqual({
    mode: "reset",
    counts: { calls: 1, throttled: 0, early: 0, writes: 0, items: 0, spanMs: 0 },
    stock: { A: 5, B: 0 },
  });
});

test("it drifts and fights back on demand, and says which articles", async () => {
  await using t = await setup();
  const answer = await t.control({ drift: { share: 1 }, fightBack: ["B"] });
  expect(await answer.json()).toEqual({ drifted: ["A", "B"], fightBack: ["B"] });
  expect(t.market.stock.get("A")).toBe(4);
  expect(t.market.stock.get("B")).toBeGreaterThan(0);
});

test.each([
  [{ mode: "asleep" }, "mode must be one of up, unavailable"],
  [{ quota: { burst: 0, perSecond: 1 } }, "burst and perSecond"],
  [{ drift: { share: 2 } }, "drift.share must be in 0 to 1"],
  [{ fightBack: "A" }, "fightBack must be an array"],
])("%j is refused, and what is wrong with it named", async (body, message) => {
  await using t = await setup();
  const answer = await t.control(body);
  expect(answer.status).toBe(422);
  expect(JSON.stringify(await answer.json())).toContain(message);
});

test("nobody without the token reaches it", async () => {
  await using t = await setup();
  expect((await t.control(undefined, "guess")).status).toBe(401);
  expect((await t.control({ mode: "reset" }, "guess")).status).toBe(401);
});
