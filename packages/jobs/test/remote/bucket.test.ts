import fc from "fast-check";
import { expect, test } from "vitest";
import { learn, quotaLeft, take, unknownBucket } from "../../src/remote/bucket.ts";

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

test("with a backlog nine tenths of a quota are used, and one answer in a hundred is a refusal at most", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 300 }),
      (perSecond, capacity, tookMs) => {
        // The remote's own bucket, which is asked at the moment a call arrives.
        let tokens = capacity;
        let filledAt = 0;
        let now = 0;
        let bucket = unknownBucket;
        let [granted, refused] = [0, 0];
        const horizon = 120_000;
        while (now < horizon) {
          const taken = take(bucket, one, at(now));
          if ("waitMs" in taken) {
            now += taken.waitMs;
            continue;
          }
          bucket = taken.bucket;
          tokens = Math.min(capacity, tokens + ((now - filledAt) / 1_000) * perSecond);
          filledAt = now;
          const isThrottled = tokens < 1;
          if (isThrottled) refused += 1;
          else {
            granted += 1;
            tokens -= 1;
          }
          const remaining = Math.floor(tokens);
          now += tookMs;
          bucket = learn(
            bucket,
            {
              isThrottled,
              capacity,
              restorePerSecond: perSecond,
              remaining,
              ...(isThrottled ? { retryAfterMs: Math.ceil(1_000 / perSecond) } : {}),
            },
            at(now),
          );
        }
        const possible = Math.min(
          capacity + (horizon / 1_000) * perSecond,
          tookMs === 0 ? Number.POSITIVE_INFINITY : horizon / tookMs,
        );
        expect(granted / possible).toBeGreaterThanOrEqual(0.9);
        expect(refused / (granted + refused)).toBeLessThanOrEqual(0.01);
      },
    ),
    { numRuns: 200 },
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
