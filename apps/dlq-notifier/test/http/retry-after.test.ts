import fc from "fast-check";
import { expect, test } from "vitest";
import { retryAfterMs } from "../../src/http/retry-after.ts";

const NOW = Date.parse("2026-11-24T10:00:00Z");

test.each([
  ["5", 5_000],
  [" 0 ", 0],
  ["Tue, 24 Nov 2026 10:00:30 GMT", 30_000],
  ["Tue, 24 Nov 2026 09:00:00 GMT", 0],
  ["86400", 3_600_000],
  ["-5", undefined],
  ["1.5", undefined],
  ["soon", undefined],
  ["", undefined],
  [undefined, undefined],
])("%j is %j ms", (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});

test("whatever a remote says, it is a bounded whole time or nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)),
      (header) => {
        const ms = retryAfterMs(header, NOW);
        if (ms === undefined) return;
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(3_600_000);
      },
    ),
  );
});
