import { expect, test } from "vitest";
import { StopSwitch } from "../src/lease.ts";

const gate = () => Promise.withResolvers<void>();

test("an attempt that was told to stop may not begin an irreversible step", async () => {
  const stop = new StopSwitch();
  stop.stop("shutdown");
  let began = false;
  await expect(
    stop.step(async () => {
      began = true;
    }),
  ).rejects.toThrow("told to stop: shutdown");
  expect(began).toBe(false);
});

test.each(["shutdown", "cancelled"] as const)(
  "%s waits for a step that has begun",
  async (cause) => {
    const stop = new StopSwitch();
    const { promise, resolve } = gate();
    const step = stop.step(async (signal) => {
      await promise;
      return signal.aborted;
    });
    stop.stop(cause);
    expect(stop.signal.aborted).toBe(false);
    resolve();
    await expect(step).resolves.toBe(false);
    expect(stop.signal.aborted).toBe(true);
  },
);

test.each(["timeout", "lease_lost"] as const)("%s cuts a step that has begun", async (cause) => {
  const stop = new StopSwitch();
  const step = stop.step(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  stop.stop(cause);
  await expect(step).rejects.toThrow(cause);
});

test("the end of the grace period cuts a step that shutdown waited for", async () => {
  const stop = new StopSwitch();
  const step = stop.step(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  stop.stop("shutdown");
  stop.stop("shutdown", { hard: true });
  await expect(step).rejects.toThrow("shutdown");
});

test("the first cause stays", () => {
  const stop = new StopSwitch();
  stop.stop("cancelled");
  stop.stop("shutdown");
  expect(stop.cause).toBe("cancelled");
});
