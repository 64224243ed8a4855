import fc from "fast-check";
import { expect, test } from "vitest";
import { secondsLeft } from "../../src/invoice-runs/progress.ts";

const at = (seconds: number) => new Date(1_000_000 + seconds * 1_000);

test("the rest is forecast at the pace of the last minute, or of all the time there was", () => {
  expect(secondsLeft({ pending: 100, asked: 20, endedLately: 60 }, at(0), at(600))).toBe(120);
  expect(secondsLeft({ pending: 90, asked: 0, endedLately: 30 }, at(0), at(10))).toBe(30);
  expect(secondsLeft({ pending: 1, asked: 0, endedLately: 0 }, at(0), at(10))).toBeNull();
});

test("the forecast is a whole number of seconds, and 0 only when nothing is left", () => {
  fc.assert(
    fc.property(fc.nat(50_000), fc.nat(50_000), fc.integer({ min: 1 }), fc.nat(100_000), (...n) => {
      const [pending, asked, endedLately, elapsed] = n;
      const seconds = secondsLeft({ pending, asked, endedLately }, at(0), at(elapsed));
      expect(Number.isInteger(seconds)).toBe(true);
      expect(seconds === 0).toBe(pending + asked === 0);
    }),
  );
});
