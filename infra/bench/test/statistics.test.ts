import { describe, expect, test } from "vitest";
import { goalText, isMet, rounded } from "../src/claim.ts";
import { openFinishLine, startingId } from "../src/finish-line.ts";
import { interleave, seenOf } from "../src/interleave.ts";
import { noiseOf } from "../src/noise.ts";
import { courseOf } from "../src/process-memory.ts";
import { median, quantile, slope, spread } from "../src/statistics.ts";

describe("numbers", () => {
  test("a median does not follow an outlier, and lies between two middle ones", () => {
    expect(median([3, 1, 1_000])).toBe(3);
    expect(median([1, 2, 3, 1_000])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  test("a quantile is interpolated between neighbours", () => {
    const numbers = Array.from({ length: 101 }, (_, n) => 100 - n);
    expect(quantile(numbers, 0.99)).toBe(99);
    expect(quantile([1, 2], 0.75)).toBe(1.75);
  });

  test("a slope is the growth per unit; equal numbers have none", () => {
    expect(slope([1, 2, 3], [10, 12, 14])).toBeCloseTo(2);
    expect(slope([1, 2, 3], [5, 5, 5])).toBe(0);
    expect(spread([9, 10, 12])).toBeCloseTo(0.3);
  });

  test("noise is how much longer than the quickest the same work took", () => {
    expect(noiseOf([20, 22, 30])).toEqual({ medianPercent: 10, worstPercent: 50 });
  });
});

describe("a course of memory", () => {
  test("what is taken while caches fill is no growth; what is taken after it is", () => {
    const filled = courseOf([100, 180, 200, 200, 200, 200]);
    expect(filled).toEqual({ peakMb: 200, growthPercent: 0 });
    const leaking = courseOf([100, 150, 200, 202, 204, 206, 208, 210]);
    expect(leaking.peakMb).toBe(210);
    expect(leaking.growthPercent).toBeCloseTo((6 / 207) * 100);
  });
});

describe("a finish line", () => {
  test("tells how long jobs took since each was asked for, once all are through, and begins anew", async () => {
    const line = openFinishLine();
    for (const count of [3, 2]) {
      line.expect(count);
      const ids = Array.from({ length: count }, (_, n) => startingId(n));
      for (const id of ids) line.crossed(id);
      const { p50Ms = -1, perSecond = -1 } = await line.all();
      expect(p50Ms).toBeGreaterThanOrEqual(0);
      expect(perSecond).toBeGreaterThan(0);
    }
  });
});

describe("rounds", () => {
  test("sides take turns, another one begins each round, and the first round is not counted", async () => {
    const order: string[] = [];
    const side = (name: string) => async () => {
      order.push(name);
      return { perSecond: order.length };
    };
    const seen = await interleave({ a: side("a"), b: side("b") }, { rounds: 2 });
    expect(order.join("")).toBe("ababba");
    expect(seen.rounds).toBe(2);
    expect(seen.of("a", "perSecond")).toBe(4.5);
  });

  test("a ratio is the median of the rounds' ratios: a slow round of both counts for neither", () => {
    const seen = seenOf(
      [
        { ours: { perSecond: 20 }, theirs: { perSecond: 10 } },
        { ours: { perSecond: 2 }, theirs: { perSecond: 1 } },
        { ours: { perSecond: 30 }, theirs: { perSecond: 10 } },
      ],
      [20],
    );
    expect(seen.ratio("ours", "theirs", "perSecond")).toBe(2);
    expect(() => seen.of("ours", "cpu")).toThrow("no side measured cpu");
  });
});

describe("goals", () => {
  test("a goal is met at its bound", () => {
    expect(isMet(0.9, { atLeast: 0.9 })).toBe(true);
    expect(isMet(0.89, { atLeast: 0.9 })).toBe(false);
    expect(isMet(1.1, { atMost: 1.1 })).toBe(true);
    expect(isMet(1.11, { atMost: 1.1 })).toBe(false);
    expect(goalText({ atMost: 1.1 })).toBe("<= 1.1");
    expect(rounded(17_652.4)).toBe(17_650);
  });
});
