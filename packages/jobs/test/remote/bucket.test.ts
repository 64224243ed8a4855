import fc from "fast-check";
import { expect, test } from "vitest";
import {
  isNews,
  learn,
  quotaLeft,
  take,
  tokensPerSecond,
  unknownBucket,
} from "../../src/remote/bucket.ts";

const at = (ms: number) => new Date(ms);
const one = { need: 1, want: 1 };
const told = { isThrottled: false, capacity: 10, remaining: 4, restorePerSecond: 2 };

test("a remote that has told nothing may be asked at will", () => {
  expect(take(unknownBucket, { need: 1, want: 5 }, at(0))).toEqual({
    granted: 5,
    bucket: unknownBucket,
  });
});

test("what is left is what it told, and comes back at the rate that it told", () => {
  const bucket = learn(unknownBucket, told, at(0));
  expect(take(bucket, { need: 1, want: 9 }, at(0))).toMatchObject({ granted: 4 });
  const empty = take(bucket, { need: 4, want: 4 }, at(0));
  if ("waitMs" in empty) throw new Error("nothing granted");
  expect(take(empty.bucket, one, at(0))).toEqual({ granted: 0, waitMs: 500 });
  expect(take(empty.bucket, one, at(500))).toMatchObject({ granted: 1 });
});

test("nobody is kept away for longer than a day, whatever was asked", () => {
  const dayMs = 24 * 3_600_000;
  for (const asked of [{ retryAfterMs: 1e18 }, { resetMs: 1e18 }, { restorePerSecond: 1e-300 }]) {
    const bucket = learn(unknownBucket, { isThrottled: true, ...asked }, at(0));
    expect(bucket.blockedUntil).toEqual(at(dayMs));
  }
  const { restorePerSecond: _, ...untold } = told;
  expect(learn(unknownBucket, { ...untold, resetMs: 1e18 }, at(0)).resetsAt).toEqual(at(dayMs));
});

test("nobody calls before the time it asked for, whatever is left", () => {
  const bucket = learn(
    learn(unknownBucket, told, at(0)),
    { isThrottled: true, retryAfterMs: 7_000 },
    at(1_000),
  );
  expect(take(bucket, one, at(7_999))).toEqual({ granted: 0, waitMs: 1 });
  expect(take(bucket, one, at(8_000))).toMatchObject({ granted: 1 });
  // A later answer that asks for less takes nothing back.
  const again = learn(bucket, { isThrottled: false, retryAfterMs: 100 }, at(2_000));
  expect(again.blockedUntil).toEqual(at(8_000));
});

test("a quota by windows is used up, and there again when the window ends", () => {
  const bucket = learn(
    unknownBucket,
    { isThrottled: false, capacity: 100, remaining: 0, resetMs: 30_000 },
    at(0),
  );
  expect(take(bucket, one, at(10_000))).toEqual({ granted: 0, waitMs: 20_000 });
  expect(take(bucket, { need: 1, want: 100 }, at(30_000))).toMatchObject({ granted: 100 });
});

test("a call that is dearer than the bucket goes once that is full", () => {
  const bucket = learn(unknownBucket, told, at(0));
  expect(take(bucket, { need: 20, want: 20 }, at(0))).toEqual({ granted: 0, waitMs: 3_000 });
  expect(take(bucket, { need: 20, want: 20 }, at(3_000))).toMatchObject({ granted: 20 });
});

interface Backlog {
  readonly perSecond: number;
  readonly capacity: number;
  /** How long a call takes. */
  readonly tookMs: number;
  /** It tells when it is full again, in whole seconds, and not what comes back each second. */
  readonly tellsReset?: boolean;
}

/** Two minutes of calls, one after the other, of a remote with a token bucket of its own. */
function callThroughBacklog({ perSecond, capacity, tookMs, tellsReset = false }: Backlog) {
  const horizon = 120_000;
  let tokens = capacity;
  let filledAt = 0;
  let now = 0;
  let bucket = unknownBucket;
  let learnedAt = 0;
  let [granted, refused] = [0, 0];
  while (now < horizon) {
    const taken = take(bucket, one, at(now));
    if ("waitMs" in taken) {
      now += taken.waitMs;
      continue;
    }
    bucket = taken.bucket;
    // Asked at the moment a call arrives.
    tokens = Math.min(capacity, tokens + ((now - filledAt) / 1_000) * perSecond);
    filledAt = now;
    const isThrottled = tokens < 1;
    if (isThrottled) refused += 1;
    else {
      granted += 1;
      tokens -= 1;
    }
    now += tookMs;
    const throttle = {
      isThrottled,
      capacity,
      remaining: Math.floor(tokens),
      ...(tellsReset
        ? { resetMs: Math.ceil((capacity - tokens) / perSecond) * 1_000 }
        : { restorePerSecond: perSecond }),
      ...(isThrottled ? { retryAfterMs: Math.ceil(1_000 / perSecond) } : {}),
    };
    // As a guard does: at once what matters, the rest each second.
    if (now - learnedAt < 1_000 && !isNews(bucket, throttle, 1, at(now))) continue;
    learnedAt = now;
    bucket = learn(bucket, throttle, at(now));
  }
  const possible = Math.min(
    capacity + (horizon / 1_000) * perSecond,
    tookMs === 0 ? Number.POSITIVE_INFINITY : horizon / tookMs,
  );
  return { use: granted / possible, refusedShare: refused / (granted + refused) };
}

test("with a backlog nine tenths of a quota are used, and one answer in a hundred is a refusal at most", () => {
  fc.assert(
    fc.property(
      fc.record({
        perSecond: fc.integer({ min: 1, max: 50 }),
        capacity: fc.integer({ min: 1, max: 40 }),
        tookMs: fc.integer({ min: 0, max: 300 }),
      }),
      (backlog) => {
        const { use, refusedShare } = callThroughBacklog(backlog);
        expect(use).toBeGreaterThanOrEqual(0.9);
        expect(refusedShare).toBeLessThanOrEqual(0.01);
      },
    ),
    { numRuns: 200 },
  );
});

test("a bucket that tells when it is full again, which each call moves away, is never asked too soon", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (tookMs) => {
      const quota = { capacity: 40, perSecond: 5, tellsReset: true };
      const { use, refusedShare } = callThroughBacklog({ ...quota, tookMs });
      // It rounds each wait of eight seconds up to a whole one.
      expect(use).toBeGreaterThanOrEqual(0.85);
      expect(refusedShare).toBe(0);
    }),
  );
});

test("what is left grows at its rate up to its capacity, and is nothing while it asked us to stay away", () => {
  expect(quotaLeft(unknownBucket, at(0))).toBeNull();
  const bucket = learn(unknownBucket, told, at(0));
  expect([0, 1_000, 60_000].map((ms) => quotaLeft(bucket, at(ms)))).toEqual([4, 6, 10]);
  const away = learn(bucket, { isThrottled: true, retryAfterMs: 7_000 }, at(1_000));
  expect(quotaLeft(away, at(7_999))).toBe(0);
  expect(quotaLeft(away, at(9_000))).toBe(10);
});

test("news is what changes how many calls may go: a refusal, a wait, another quota, fewer left than known", () => {
  const bucket = learn(unknownBucket, told, at(0));
  const isNewsAt0 = (change: object) => isNews(bucket, { ...told, ...change }, 1, at(0));
  expect(isNews(unknownBucket, told, 1, at(0))).toBe(true);
  expect(isNewsAt0({})).toBe(false);
  expect(isNewsAt0({ remaining: 3 })).toBe(false); // a call that is under way, or the clocks
  expect(isNewsAt0({ remaining: 2 })).toBe(true);
  expect(isNewsAt0({ remaining: 10 })).toBe(false);
  expect(isNewsAt0({ isThrottled: true })).toBe(true);
  expect(isNewsAt0({ retryAfterMs: 1 })).toBe(true);
  expect(isNewsAt0({ capacity: 9 })).toBe(true);
  expect(isNewsAt0({ restorePerSecond: 1 })).toBe(true);
});

test("the end of a window is news once the last one is over, and what is left is spread over the rest", () => {
  const window = { isThrottled: false, capacity: 100, remaining: 80, resetMs: 20_000 };
  const bucket = learn(unknownBucket, window, at(0));
  expect(isNews(bucket, { ...window, resetMs: 19_000 }, 1, at(1_000))).toBe(false);
  expect(isNews(bucket, window, 1, at(1_000))).toBe(true);
  expect(isNews(bucket, { ...window, remaining: 100 }, 1, at(20_000))).toBe(true);
  expect(tokensPerSecond(bucket, at(0))).toBe(4);
  expect(tokensPerSecond(bucket, at(19_900))).toBe(80);
  expect(tokensPerSecond(bucket, at(20_000))).toBe(0);
  expect(tokensPerSecond(learn(unknownBucket, told, at(0)), at(0))).toBe(2);
});
