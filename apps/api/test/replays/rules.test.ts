import fc from "fast-check";
import { expect, test } from "vitest";
import { isFarBehind, lettersDue } from "../../src/replays/pace.ts";
import { stopReason } from "../../src/replays/stop-rule.ts";

const at = (ms: number) => new Date(1_800_000_000_000 + ms);

test("a pace that is asked often enough is held to the letter, and never exceeded", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 200, noNaN: true }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 200 }),
      (ratePerSecond, waits) => {
        let count = 0;
        let nowMs = 0;
        for (const wait of waits) {
          nowMs += wait;
          count += lettersDue({ ratePerSecond, from: at(0), count }, at(nowMs));
          expect(count).toBeLessThanOrEqual((nowMs / 1_000) * ratePerSecond);
        }
        // Looked at more than once a second, it is behind by no more than what one look may take.
        expect(count).toBeGreaterThanOrEqual(
          Math.floor((nowMs / 1_000) * ratePerSecond) - Math.ceil(ratePerSecond) - 1,
        );
      },
    ),
  );
});

test("what a pause has missed is not made up for in a burst: the pace begins anew", () => {
  const pace = { ratePerSecond: 50, from: at(0), count: 0 };
  expect(lettersDue(pace, at(60_000))).toBe(50);
  expect(isFarBehind(pace, at(60_000))).toBe(true);
  expect(isFarBehind(pace, at(1_000))).toBe(false);
});

test("replays that are driven side by side take no more at once than one may", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 1_000, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (rate, many) => {
        const due = lettersDue({ ratePerSecond: rate, from: at(0), count: 0 }, at(60_000), many);
        expect(due).toBeGreaterThan(0);
        expect(due * many).toBeLessThan(1_000 + many);
      },
    ),
  );
});

test("a replay stops above the share, judged by enough ends or by those that went ahead, and never below it", () => {
  fc.assert(
    fc.property(
      fc.nat(500),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.boolean(),
      (ended, part, stopShare, isCanary) => {
        const diedAgain = Math.floor(ended * part);
        const stops = stopReason({ ended, diedAgain }, stopShare, isCanary) !== undefined;
        const isJudged = ended > 0 && (isCanary || ended >= 20);
        expect(stops).toBe(isJudged && diedAgain / ended > stopShare);
      },
    ),
  );
});
