import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffDelayMs, sendInvoice } from "../src/index.ts";

const exponential = { type: "exponential", delayMs: 2_000, jitter: 0 } as const;

test("the default schedule waits 2, 4, 8 and 16 seconds", () => {
  expect([1, 2, 3, 4].map((attempt) => backoffDelayMs(exponential, attempt))).toEqual([
    2_000, 4_000, 8_000, 16_000,
  ]);
});

test("a fixed schedule waits the same each time", () => {
  const fixed = { type: "fixed", delayMs: 2_000, jitter: 0 } as const;
  expect([1, 2, 3, 4].map((attempt) => backoffDelayMs(fixed, attempt))).toEqual([
    2_000, 2_000, 2_000, 2_000,
  ]);
});

test("jitter only shortens a wait, by no more than its share, to whole milliseconds", () => {
  fc.assert(
    fc.property(
      fc.record({
        type: fc.constantFrom("exponential" as const, "fixed" as const),
        delayMs: fc.integer({ min: 0, max: 3_600_000 }),
        jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
      }),
      fc.option(fc.integer({ min: 1, max: 86_400_000 }), { nil: undefined }),
      fc.integer({ min: 1, max: 2_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (backoff, maxDelayMs, attempt, random) => {
        const capped = { ...backoff, ...(maxDelayMs === undefined ? {} : { maxDelayMs }) };
        const full = backoffDelayMs({ ...capped, jitter: 0 }, attempt);
        const delay = backoffDelayMs(capped, attempt, () => random);
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeLessThanOrEqual(full);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(full * (1 - backoff.jitter)));
        expect(full).toBeLessThanOrEqual(maxDelayMs ?? Number.MAX_SAFE_INTEGER);
      },
    ),
  );
});

test("an attempt below 1 is refused", () => {
  expect(() => backoffDelayMs(exponential, 0)).toThrow(RangeError);
});

test("a mail refused for now is asked again for a day and no longer", () => {
  const waits = Array.from({ length: sendInvoice.attempts - 1 }, (_, index) =>
    backoffDelayMs(sendInvoice.backoff, index + 1),
  );
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
  expect(Math.max(...waits)).toBe(30 * 60_000);
  expect(hours).toBeGreaterThan(23);
  expect(hours).toBeLessThanOrEqual(24);
});
