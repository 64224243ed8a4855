import { MarketplaceKind } from "@ballast/contracts";
import { DependencyDownError, RateLimitedError } from "@ballast/jobs";
import { marketplaceModes } from "@ballast/testing";
import { describe, expect, test } from "vitest";
import { emptyStock, setup } from "./setup.ts";

describe.each(MarketplaceKind.options)("%s", (kind) => {
  test("stock that is pushed is confirmed, and held there", async () => {
    await using t = await setup({ kind, stock: emptyStock(12) });
    const items = [t.item("SKU3", 7), t.item("SKU9", 2), t.item("SKU0", 11)];

    expect(await t.push(...items)).toEqual([
      { sku: "SKU3", outcome: "confirmed", quantity: 7 },
      { sku: "SKU9", outcome: "confirmed", quantity: 2 },
      { sku: "SKU0", outcome: "confirmed", quantity: 11 },
    ]);
    expect(Object.fromEntries(t.market.stock)).toMatchObject({ SKU3: 7, SKU9: 2, SKU0: 11 });
  });

  test("an item that can never work is rejected, and the others of its batch are done", async () => {
    await using t = await setup({ kind, stock: emptyStock(3) });

    const outcomes = await t.push(t.item("SKU0", 5), t.unknown("GONE"), t.item("SKU2", 6));

    expect(outcomes).toMatchObject([
      { sku: "SKU0", outcome: "confirmed" },
      { sku: "GONE", outcome: "rejected", code: expect.stringMatching(/^[a-z0-9_]+$/) },
      { sku: "SKU2", outcome: "confirmed" },
    ]);
    expect(t.market.stock.get("SKU2")).toBe(6);
  });

  test("what it holds is listed page by page, under the ids that are pushed to", async () => {
    const stock = Object.fromEntries(Array.from({ length: 45 }, (_, n) => [`SKU${n}`, n]));
    await using t = await setup({ kind, stock, quota: { burst: 10_000, perSecond: 10_000 } });
    const expected = t.market.listings.map(({ sku, externalId }) => [externalId, stock[sku]]);
    expect(await t.listAll()).toEqual(Object.fromEntries(expected));
  });

  test("an answer tells the guard what is left of the quota, and never that it is throttled", async () => {
    await using t = await setup({ kind, stock: emptyStock(1) });
    await t.push(t.item("SKU0", 1));
    for (const { isThrottled } of t.throttles) expect(isThrottled).toBe(false);
    expect(t.throttles.length).toBeGreaterThan(0);
  });

  test("beyond the quota the error is that it is throttled, never that it is down", async () => {
    await using t = await setup({ kind, stock: emptyStock(1), quota: scarce[kind] });
    const error = await untilThrown(() => t.push(t.item("SKU0", 1)));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ code: "rate_limited", retryAfterMs: expect.any(Number) });
    expect(t.throttles.at(-1)?.isThrottled).toBe(true);
  });

  test.each(["unavailable", "reset", "not-json", "endless", "huge", "hang"] as const)(
    "while it is %s the remote is down: nobody's attempt, and nothing to retry here",
    async (mode) => {
      await using t = await setup({
        kind,
        stock: emptyStock(1),
        http: { timeoutMs: mode === "hang" || mode === "endless" ? 300 : 20_000 },
      });
      t.market.setMode(mode);
      const error = await thrown(t.push(t.item("SKU0", 1)));
      expect(error).toBeInstanceOf(DependencyDownError);
      expect(error).toMatchObject({ code: codes[mode] });
    },
  );

  test("credentials that are not taken are `auth_failed`, and stand in no message", async () => {
    await using t = await setup({ kind, stock: emptyStock(1) });
    t.market.setMode("auth-failing");
    const error = await thrown(t.push(t.item("SKU0", 1)));
    expect(error).toBeInstanceOf(DependencyDownError);
    expect(error).toMatchObject({ code: "auth_failed" });
    const told = JSON.stringify([error, error.message, error.stack, error.cause, t.log.lines]);
    for (const secret of Object.values(t.market.account.credentials))
      expect(told).not.toContain(secret);
  });

  test("nothing to tell asks nobody, and more than a batch is a mistake", async () => {
    await using t = await setup({ kind, stock: emptyStock(1) });
    expect(await t.push()).toEqual([]);
    const tooMany = Array.from({ length: t.adapter.maxBatch + 1 }, () => t.item("SKU0", 1));
    await expect(t.push(...tooMany)).rejects.toThrow(RangeError);
    expect(t.market.counts().calls).toBe(0);
  });

  test("a slow answer is waited for", async () => {
    await using t = await setup({ kind, stock: emptyStock(1), slowMs: 50 });
    t.market.setMode("slow");
    expect(await t.push(t.item("SKU0", 4))).toMatchObject([{ outcome: "confirmed" }]);
  });

  test("an abort ends a call that hangs, with the abort's own reason", async () => {
    await using t = await setup({ kind, stock: emptyStock(1) });
    t.market.setMode("hang");
    const stop = new AbortController();
    const pushing = thrown(t.adapter.push([t.item("SKU0", 1)], stop.signal));
    setTimeout(() => stop.abort(new Error("shutting down")), 50);
    expect((await pushing).message).toBe("shutting down");
  });

  test("it is up again when it is up again", async () => {
    await using t = await setup({ kind, stock: emptyStock(1) });
    for (const mode of marketplaceModes.filter((one) => one === "unavailable" || one === "reset")) {
      t.market.setMode(mode);
      await expect(t.push(t.item("SKU0", 1))).rejects.toThrow();
      t.market.setMode("up");
      expect(await t.push(t.item("SKU0", 1))).toMatchObject([{ outcome: "confirmed" }]);
    }
  });
});

/** One call, or little more, and then a long wait. */
const scarce = {
  shopify: { burst: 10, perSecond: 0.01 },
  woocommerce: { burst: 1, perSecond: 0.001 },
  amazon: { burst: 1, perSecond: 0.001 },
  ebay: { burst: 1, perSecond: 0.001 },
  "generic-rest": { burst: 1, perSecond: 0.001 },
};

const codes = {
  unavailable: "remote_down",
  reset: "no_answer",
  "not-json": "answer_not_json",
  endless: "answer_endless",
  huge: "answer_too_large",
  hang: "answer_endless",
};

async function thrown(work: Promise<unknown>): Promise<Error> {
  return work.then(
    (value) => {
      throw new Error(`it returned ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );
}

async function untilThrown(work: () => Promise<unknown>): Promise<Error> {
  for (let n = 0; n < 5; n++) {
    try {
      await work();
    } catch (error) {
      return error as Error;
    }
  }
  throw new Error("five calls were let through");
}
