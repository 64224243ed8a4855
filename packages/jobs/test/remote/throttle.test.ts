import fc from "fast-check";
import { expect, test } from "vitest";
import { throttleFromHeaders } from "../../src/index.ts";

const NOW = Date.parse("2026-11-24T10:00:00Z");
const read = (headers: Record<string, string>, status = 200) =>
  throttleFromHeaders(status, headers, NOW);

test("a 429 refuses for the quota, and nothing else does by its status alone", () => {
  expect(read({}, 429)).toEqual({ isThrottled: true });
  for (const status of [200, 422, 500, 503])
    expect(read({}, status)).toEqual({ isThrottled: false });
});

test.each([
  ["5", 5_000],
  [" 0 ", 0],
  ["Tue, 24 Nov 2026 10:00:30 GMT", 30_000],
  ["Tue, 24 Nov 2026 09:00:00 GMT", 0],
  ["999999999", 86_400_000],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
])("Retry-After: %j is %j ms", (header, ms) => {
  expect(read({ "retry-after": header }, 429).retryAfterMs).toBe(ms);
});

test.each<[string, Record<string, string>, object]>([
  [
    "IETF's fields before they were one",
    { "ratelimit-limit": "100", "ratelimit-remaining": "40", "ratelimit-reset": "12" },
    { capacity: 100, remaining: 40, resetMs: 12_000 },
  ],
  [
    "a limit with its policies behind it",
    { "ratelimit-limit": "100, 100;w=60, 1000;w=3600" },
    { capacity: 100 },
  ],
  [
    "IETF's structured fields",
    { ratelimit: '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60' },
    { capacity: 100, remaining: 50, resetMs: 30_000, restorePerSecond: 100 / 60 },
  ],
  [
    "the draft between them",
    { ratelimit: "limit=100, remaining=50, reset=50", "ratelimit-policy": "100;w=50" },
    { capacity: 100, remaining: 50, resetMs: 50_000, restorePerSecond: 2 },
  ],
  [
    "x- headers with a wait",
    { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "7" },
    { capacity: 60, remaining: 0, resetMs: 7_000 },
  ],
  [
    "x- headers with a moment in seconds",
    { "x-ratelimit-reset": String(NOW / 1_000 + 90) },
    { resetMs: 90_000 },
  ],
  [
    "x- headers with a moment in milliseconds",
    { "x-ratelimit-reset": String(NOW + 1_500) },
    { resetMs: 1_500 },
  ],
])("%s", (_what, headers, told) => {
  expect(read(headers)).toEqual({ isThrottled: false, ...told });
});

test("whatever headers say, numbers are bounded and not negative, or absent", () => {
  const names = [
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-reset",
  ];
  const value = fc.oneof(
    fc.string(),
    fc.nat().map(String),
    fc.double().map(String),
    fc.date().map(String),
    fc.tuple(fc.nat(), fc.nat()).map(([r, t]) => `"a";r=${r};t=${t};q=${r};w=${t}`),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (headers) => {
      const { isThrottled, ...numbers } = read(headers);
      expect(isThrottled).toBe(false);
      for (const number of Object.values(numbers)) {
        expect(Number.isFinite(number)).toBe(true);
        expect(number).toBeGreaterThanOrEqual(0);
      }
      expect(numbers.retryAfterMs ?? 0).toBeLessThanOrEqual(86_400_000);
      expect(numbers.resetMs ?? 0).toBeLessThanOrEqual(86_400_000);
    }),
  );
});
