import { DependencyDownError, PermanentError } from "@ballast/jobs";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StockItem } from "../../src/adapters/adapter.ts";
import { asCode, confirmed, pushParts, slices } from "../../src/adapters/outcomes.ts";
import { pushAround } from "../../src/adapters/push-around.ts";

const itemsOf = (count: number): StockItem[] =>
  Array.from({ length: count }, (_, n) => ({ sku: `S${n}`, externalId: `E${n}`, quantity: n }));
const down = new DependencyDownError("remote_down", "away");
const skus = (outcomes: readonly { sku: string }[]) => outcomes.map(({ sku }) => sku);

test("in parts: one outcome an item, in order, whichever call failed and however many ran at a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 70 }),
      async (count, size, concurrency, failingCall) => {
        const items = itemsOf(count);
        let calls = 0;
        const pushing = pushParts(
          items,
          slices(items, size),
          async (part) => {
            if (++calls === failingCall) throw down;
            return part.map(confirmed);
          },
          { concurrency },
        );
        const outcomes = await pushing.catch((error) => {
          expect(error).toBe(down);
          return undefined;
        });
        if (failingCall === 1 && count <= size) expect(outcomes).toBeUndefined();
        if (outcomes === undefined) return;
        expect(skus(outcomes)).toEqual(skus(items));
        const lost = outcomes.filter(({ outcome }) => outcome !== "confirmed");
        expect(lost.every((one) => one.outcome === "failed" && one.code === "not_sent")).toBe(true);
        if (failingCall > Math.ceil(count / size)) expect(lost).toEqual([]);
      },
    ),
  );
});

test("in parts: what is no fault of the remote is thrown, whatever was settled before", async () => {
  const items = itemsOf(4);
  const bug = new PermanentError("request_refused", "bad shape");
  let calls = 0;
  const pushing = pushParts(items, slices(items, 1), async (part) => {
    if (++calls === 3) throw bug;
    return part.map(confirmed);
  });
  await expect(pushing).rejects.toBe(bug);
});

test("in parts: no call begins once the time is up, and what is left was not sent", async () => {
  const items = itemsOf(10);
  let time = 0;
  const outcomes = await pushParts(
    items,
    slices(items, 1),
    async (part) => {
      time += 10;
      return part.map(confirmed);
    },
    { untilMs: 30, now: () => time },
  );
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    ...Array(3).fill("confirmed"),
    ...Array(7).fill("failed"),
  ]);
});

test("around bad items: exactly they are rejected, in no more calls than halving needs", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 2 }),
      async (count, places) => {
        const items = itemsOf(count);
        const bad = new Set(places.filter((place) => place < count).map((place) => `S${place}`));
        fc.pre(bad.size < count);
        let calls = 0;
        const outcomes = await pushAround(items, async (part) => {
          calls++;
          if (part.some(({ sku }) => bad.has(sku)))
            throw new PermanentError("request_refused", "one of them is bad");
          return part.map(confirmed);
        });
        expect(skus(outcomes)).toEqual(skus(items));
        for (const { sku, outcome } of outcomes)
          expect(outcome).toBe(bad.has(sku) ? "rejected" : "confirmed");
        expect(calls).toBeLessThanOrEqual(
          1 + bad.size * 2 * Math.ceil(Math.log2(Math.max(2, count))),
        );
      },
    ),
  );
});

test("around bad items: where nothing at all is taken, the refusal itself is thrown, after few calls", async () => {
  const refusal = new PermanentError("request_refused", "no such field");
  let calls = 0;
  const pushing = pushAround(itemsOf(1_000), async () => {
    calls++;
    throw refusal;
  });
  await expect(pushing).rejects.toBe(refusal);
  expect(calls).toBeLessThan(100);
});

test("a code is snake_case whatever it was, and stays as it is", () => {
  expect(asCode("QuotaExceeded")).toBe("quota_exceeded");
  expect(asCode("CHANGE_FROM_QUANTITY_STALE")).toBe("change_from_quantity_stale");
  fc.assert(
    fc.property(fc.string(), (code) => {
      expect(asCode(code)).toMatch(/^[a-z0-9_]{1,60}$/);
      expect(asCode(asCode(code))).toBe(asCode(code));
    }),
  );
});
