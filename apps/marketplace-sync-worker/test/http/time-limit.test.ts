import { expect, test } from "vitest";
import { timeLimit } from "../../src/http/time-limit.ts";

const aborted = (signal: AbortSignal) =>
  new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));

test("it aborts when the time is up, and says so", async () => {
  const limit = timeLimit(new AbortController().signal, 10);
  await aborted(limit.signal);
  expect(limit.signal.reason).toEqual(new Error("no whole answer within 10 ms"));
});

test("it aborts with another's reason", () => {
  const outer = new AbortController();
  const limit = timeLimit(outer.signal, 60_000);
  outer.abort(new Error("shutting down"));
  expect(limit.signal.reason).toEqual(new Error("shutting down"));
  limit.release();
});

test("it is aborted from the start if the other was", () => {
  const limit = timeLimit(AbortSignal.abort(), 60_000);
  expect(limit.signal.aborted).toBe(true);
  limit.release();
});

test("once released neither the time nor the other aborts it", async () => {
  const outer = new AbortController();
  const limit = timeLimit(outer.signal, 1);
  limit.release();
  await aborted(AbortSignal.timeout(20));
  outer.abort();
  expect(limit.signal.aborted).toBe(false);
});
