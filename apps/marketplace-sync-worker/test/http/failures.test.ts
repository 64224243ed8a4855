import { DependencyDownError, PermanentError } from "@ballast/jobs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { failureOf, limited, words } from "../../src/http/failures.ts";

const response = (status: number, excerpt = "") => ({
  status,
  headers: {},
  body: undefined,
  excerpt,
  sizeBytes: excerpt.length,
});
const quiet = { isThrottled: false };

test.each([
  [200, undefined, undefined],
  [207, undefined, undefined],
  [301, DependencyDownError, "redirected"],
  [400, PermanentError, "request_refused"],
  [401, DependencyDownError, "auth_failed"],
  [402, DependencyDownError, "remote_refused"],
  [403, DependencyDownError, "auth_failed"],
  [404, DependencyDownError, "remote_refused"],
  [408, DependencyDownError, "remote_down"],
  [413, PermanentError, "request_refused"],
  [422, PermanentError, "request_refused"],
  [425, DependencyDownError, "remote_down"],
  [500, DependencyDownError, "remote_down"],
  [503, DependencyDownError, "remote_down"],
  [530, DependencyDownError, "remote_down"],
])("%i is %s, %s", (status, type, code) => {
  const failure = failureOf("Shop", response(status), quiet);
  if (type === undefined) return expect(failure).toBeUndefined();
  expect(failure).toBeInstanceOf(type);
  expect(failure?.code).toBe(code);
});

test("a 503 that asks for a wait gets it", () => {
  const failure = failureOf("Shop", response(503), { isThrottled: false, retryAfterMs: 90_000 });
  expect(failure).toMatchObject({ retryAfterMs: 90_000 });
});

test("a refusal for the quota waits as asked, else until the window ends, else by the rate, else 5 s", () => {
  const wait = (throttle: object) =>
    limited("Shop", response(429), { isThrottled: true, ...throttle }).retryAfterMs;
  expect(wait({ retryAfterMs: 3_000, resetMs: 9_000 })).toBe(3_000);
  expect(wait({ resetMs: 9_000 })).toBe(9_000);
  expect(wait({ restorePerSecond: 0.1 })).toBe(10_000);
  expect(wait({ restorePerSecond: 50 })).toBe(1_000);
  expect(wait({})).toBe(5_000);
});

test("no answer is a success unless its status says so, and words stay short and clean", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.string({ maxLength: 3_000 }),
      (status, text) => {
        const failure = failureOf("Shop", response(status, text), quiet);
        expect(failure === undefined).toBe(status >= 200 && status < 300);
        expect(failure?.message.length ?? 0).toBeLessThan(400);
      },
    ),
  );
});

test("of a long message the beginning alone is looked at", () => {
  expect(words(`${" ".repeat(1_500)}too many items`)).toBe(": too many items");
  expect(words(`${" ".repeat(2_000)}too many items`)).toBe("");
});

test("words of a remote come without secrets and mail addresses", () => {
  expect(words('{"access_token":"abc","user":"jane@example.org"}')).not.toMatch(/abc|jane/);
});
