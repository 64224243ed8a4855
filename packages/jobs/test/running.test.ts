import { until } from "@ballast/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { StopSwitch } from "../src/lease.ts";
import { Running } from "../src/running.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const nothingCancelled = { cancelled: async () => [], touch: async () => {} };
const attempt = (stop: StopSwitch) => ({ runId: "run", engineJobId: "job", stop });

/** From here on time passes as the test says. */
function stopClock(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

test("an attempt that begins after all were told to stop is told too", () => {
  using running = new Running(nothingCancelled, 60_000, quiet);
  running.stopAll("shutdown");
  const stop = new StopSwitch();
  using _watched = running.watch("late", attempt(stop));
  expect(stop.cause).toBe("shutdown");
});

test("an attempt whose lock nobody renews is stopped before the lock ends", async () => {
  stopClock();
  using running = new Running(nothingCancelled, 30_000, quiet);
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  await vi.advanceTimersByTimeAsync(24_000);
  expect(stop.cause).toBeUndefined();
  await vi.advanceTimersByTimeAsync(5_999);
  expect(stop.cause).toBe("lease_lost");
});

test("a handler that blocked its process past its lock begins no step, although no timer has run", () => {
  using running = new Running(nothingCancelled, 50, quiet);
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  const woken = Date.now() + 60;
  while (Date.now() < woken);
  expect(() => stop.check()).toThrow("lease_lost");
  expect(stop.signal.aborted).toBe(true);
});

test("a lock that is lost while the start is being written stops the attempt before it begins", () => {
  using running = new Running(nothingCancelled, 60_000, quiet);
  using _held = running.hold("job");
  running.lockLost("job");
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  expect(() => stop.check()).toThrow("lease_lost");
});

test("a lock is as old as the job's delivery, however long the start took to be written", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  using running = new Running(nothingCancelled, 1_000, quiet);
  using _held = running.hold("job");
  vi.advanceTimersByTime(700);
  const [late, renewed] = [new StopSwitch(), new StopSwitch()];
  using _late = running.watch("late", attempt(late));
  vi.advanceTimersByTime(110);
  expect(() => late.check()).toThrow("lease_lost");

  running.locksRenewed(["job"]);
  using _renewed = running.watch("renewed", attempt(renewed));
  expect(() => renewed.check()).not.toThrow();
});

test("a job that is given again is not judged by the lock it had before", () => {
  using running = new Running(nothingCancelled, 60_000, quiet);
  {
    using _first = running.hold("job");
    running.lockLost("job");
  }
  using _again = running.hold("job");
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  expect(stop.cause).toBeUndefined();
});

test("an attempt whose lock is renewed goes on", async () => {
  stopClock();
  using running = new Running(nothingCancelled, 30_000, quiet);
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  for (let renewals = 0; renewals < 4; renewals++) {
    await vi.advanceTimersByTimeAsync(15_000);
    running.locksRenewed(["job"]);
  }
  expect(stop.cause).toBeUndefined();
});

test("while PostgreSQL does not answer, nothing is stopped for it", async () => {
  let asked = 0;
  const away = {
    cancelled: async () => {
      asked += 1;
      throw new Error("connection refused");
    },
    touch: async () => {},
  };
  using running = new Running(away, 60_000, quiet);
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  await until(() => asked >= 2);
  expect(stop.cause).toBeUndefined();
});

test("a lock is watched also while PostgreSQL hangs", async () => {
  const hanging = { cancelled: () => new Promise<string[]>(() => {}), touch: async () => {} };
  using running = new Running(hanging, 1_500, quiet);
  const stop = new StopSwitch();
  using _watched = running.watch("a", attempt(stop));
  await until(() => stop.cause === "lease_lost");
});

test("an attempt that begins after the end leaves no timer behind", () => {
  stopClock();
  const running = new Running(nothingCancelled, 60_000, quiet);
  running[Symbol.dispose]();
  const stop = new StopSwitch();
  using _watched = running.watch("late", attempt(stop));
  expect(vi.getTimerCount()).toBe(0);
  expect(stop.cause).toBe("shutdown");
});

test("once no more are admitted, an attempt that begins is stopped, and one that runs goes on", () => {
  using running = new Running(nothingCancelled, 60_000, quiet);
  const [early, late] = [new StopSwitch(), new StopSwitch()];
  using _early = running.watch("early", attempt(early));
  running.admitNoMore();
  using _late = running.watch("late", attempt(late));
  expect([early.cause, late.cause]).toEqual([undefined, "shutdown"]);
});
