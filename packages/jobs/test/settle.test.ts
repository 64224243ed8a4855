import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import { expect, onTestFinished, test, vi } from "vitest";
import { backoffStrategy, settle } from "../src/engine/settle.ts";
import { DependencyDownError, PermanentError, TransientError } from "../src/errors.ts";

const postponed = {
  kind: "postpone",
  error: new DependencyDownError("smtp_down", "x"),
  delayMs: 700,
} as const;
const failing = (code: string, times: number) => {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) throw Object.assign(new Error(code), { code });
  };
};

test.each([
  ["a deadlock", "40P01"],
  ["a restart of its store", "ECONNREFUSED"],
])("a job is postponed in spite of %s, and no attempt is counted", async (_title, code) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told = vi.fn();
  const job = { moveToDelayed: failing(code, 3) } as unknown as Job;
  const settled = settle(job, "token", { outcome: postponed, told });
  const refused = expect(settled).rejects.toThrow(DelayedError);
  await vi.advanceTimersByTimeAsync(5_000);
  await refused;
  expect(told).toHaveBeenCalledOnce();
});

test("a move that was made and whose answer was lost is told of all the same", async () => {
  const told = vi.fn();
  const refused = () => Promise.reject(Object.assign(new Error("Missing lock"), { code: -2 }));
  const job = { moveToDelayed: refused, moveToWait: refused } as unknown as Job;
  const interrupted = { kind: "interrupted", reason: "shutdown" } as const;
  await expect(settle(job, "", { outcome: postponed, told })).rejects.toThrow(DelayedError);
  await expect(settle(job, "", { outcome: interrupted, told })).rejects.toThrow(WaitingError);
  expect(told.mock.calls).toEqual([[false], [false]]);
});

test("a retry waits as long as the runtime said, whatever its error is called", async () => {
  // BullMQ goes by names, and would take this for its own.
  class DelayedError extends TransientError {}
  const retry = { kind: "retry", error: new DelayedError("busy", "x"), delayMs: 1_234.5 } as const;
  const thrown = (await settle({} as Job, "token", { outcome: retry, told() {} }).catch(
    (e) => e,
  )) as Error;
  expect(thrown.name).toBe("RetryError");
  expect(backoffStrategy(1, "ballast", thrown)).toBe(1_234);
});

test("a death keeps its code where the reconciler finds it", async () => {
  const dead = { kind: "dead", error: new PermanentError("gone", "no thing") } as const;
  const thrown = (await settle({} as Job, "token", { outcome: dead, told() {} }).catch(
    (e) => e,
  )) as Error;
  expect(thrown).toBeInstanceOf(UnrecoverableError);
  expect(thrown.message).toBe("gone: no thing");
});
