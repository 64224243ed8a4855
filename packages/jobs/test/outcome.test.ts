import { backoffDelayMs } from "@ballast/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DependencyDownError,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "../src/errors.ts";
import { type AbortCause, type Circumstances, classify } from "../src/outcome.ts";

const now = new Date("2026-11-23T02:00:00Z");
const at = (change: Partial<Circumstances> = {}): Circumstances => ({
  contract: {
    name: "render-invoice",
    attempts: 5,
    backoff: { type: "exponential", delayMs: 2_000, jitter: 0 },
    timeoutMs: 60_000,
  },
  attempt: 1,
  abortedBy: undefined,
  now,
  deadlineAt: new Date(now.getTime() + 86_400_000),
  ...change,
});

describe("classify", () => {
  test.each([
    [
      "a transient error is retried after the contract's wait",
      new TransientError("busy", "x"),
      { kind: "retry", delayMs: 2_000 },
    ],
    [
      "an error of no known class is retried",
      new Error("?"),
      { kind: "retry", error: { code: "unexpected_error" } },
    ],
    [
      "throwing undefined is retried as an error",
      undefined,
      { kind: "retry", error: { code: "unexpected_error" } },
    ],
    [
      "a permanent error is dead at once",
      new PermanentError("gone", "x"),
      { kind: "dead", error: { code: "gone" } },
    ],
    [
      "a rate limit is postponed to the millisecond",
      new RateLimitedError("quota", "x", { retryAfterMs: 7_321 }),
      { kind: "postpone", delayMs: 7_321 },
    ],
    [
      "a dependency that says when it is back is asked then",
      new DependencyDownError("smtp", "x", { retryAfterMs: 9_000 }),
      { kind: "postpone", delayMs: 9_000 },
    ],
    [
      "a dependency that says nothing is asked in five seconds",
      new DependencyDownError("smtp", "x"),
      { kind: "postpone", delayMs: 5_000 },
    ],
    [
      "a rate limit that could not be read is asked in five seconds",
      new RateLimitedError("quota", "x", { retryAfterMs: Number.NaN }),
      { kind: "postpone", delayMs: 5_000 },
    ],
    [
      "a rate limit of zero does not spin",
      new RateLimitedError("quota", "x", { retryAfterMs: 0 }),
      { kind: "postpone", delayMs: 100 },
    ],
  ])("%s", (_title, thrown, expected) => {
    expect(classify(thrown, at())).toMatchObject(expected);
  });

  test("the last attempt's failure is death, with the failure's own code", () => {
    expect(classify(new TransientError("busy", "x"), at({ attempt: 5 }))).toMatchObject({
      kind: "dead",
      error: { code: "busy" },
    });
  });

  test("a postpone beyond the deadline is death that names the deadline and the last error", () => {
    const deadlineAt = new Date(now.getTime() + 1_000);
    const outcome = classify(new DependencyDownError("smtp", "no route"), at({ deadlineAt }));
    expect(outcome).toMatchObject({ kind: "dead", error: { code: "deadline_exceeded" } });
    expect(outcome).toHaveProperty("error.message", expect.stringContaining("no route"));
  });

  test.each<[AbortCause, string]>([
    ["shutdown", "interrupted"],
    ["lease_lost", "interrupted"],
    ["cancelled", "cancelled"],
    ["timeout", "retry"],
  ])("an attempt stopped by %s is %s", (abortedBy, kind) => {
    expect(classify(new Error("aborted"), at({ abortedBy })).kind).toBe(kind);
  });

  test.each<AbortCause>(["shutdown", "lease_lost", "cancelled", "timeout"])(
    "a handler that knows the outcome is final is believed although stopped by %s",
    (abortedBy) => {
      const error = new PermanentError("outcome_unknown", "x");
      expect(classify(error, at({ abortedBy }))).toEqual({ kind: "dead", error });
    },
  );

  test("every outcome with a delay has a whole, positive one that keeps the deadline", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constantFrom<unknown>(
            undefined,
            null,
            "text",
            new Error("e"),
            new TransientError("t", "t"),
          ),
          fc
            .double({ min: 0, max: 1e9, noNaN: true })
            .map((ms) => new RateLimitedError("q", "q", { retryAfterMs: ms })),
        ),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 1e9 }),
        (thrown, attempt, leftMs) => {
          const deadlineAt = new Date(now.getTime() + leftMs);
          const outcome = classify(thrown, at({ attempt, deadlineAt }));
          if (!("delayMs" in outcome)) return;
          expect(Number.isSafeInteger(outcome.delayMs)).toBe(true);
          expect(outcome.delayMs).toBeGreaterThan(0);
          expect(outcome.delayMs).toBeLessThanOrEqual(leftMs);
          if (outcome.kind === "retry")
            expect(outcome.delayMs).toBe(backoffDelayMs(at().contract.backoff, attempt));
        },
      ),
    );
  });
});
