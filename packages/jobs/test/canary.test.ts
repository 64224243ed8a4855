import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startCanary } from "../src/canary.ts";
import { queue } from "./integration/setup.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A process that hears nothing for 20 s sends a canary, and is stale a minute after that. */
function setup() {
  const world = { away: false, paused: false, hasRoom: true };
  const sent: string[] = [];
  let check = (): string | undefined => undefined;
  const canary = startCanary({
    queue,
    worker: "host:1@1.2.3",
    hasRoom: () => world.hasRoom,
    engine: {
      state: async () => ({ paused: world.paused, waiting: 0, active: 0, delayed: 0, failed: 0 }),
      sendCanary: async (_queue, sender) => {
        if (world.away) throw new Error("away");
        sent.push(sender);
      },
    },
    telemetry: {
      jobs: { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} },
      liveness(_name, added) {
        check = added;
      },
    },
  });
  return {
    world,
    sent,
    canary,
    reason: () => check(),
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
    [Symbol.dispose]: () => canary[Symbol.dispose](),
  };
}

test("a process that is served sends no canary, and is alive", async () => {
  using t = setup();
  for (let passed = 0; passed < 12; passed++) {
    await t.pass(10_000);
    t.canary.served();
  }
  expect(t.sent).toEqual([]);
  expect(t.reason()).toBeUndefined();
});

test("a process that hears nothing sends a canary, and is stale a minute after that", async () => {
  using t = setup();
  await t.pass(26_000);
  expect(t.sent[0]).toBe("host:1@1.2.3");
  await t.pass(50_000);
  expect(t.reason()).toBeUndefined();
  await t.pass(15_000);
  expect(t.reason()).toMatch(/^given no job for 9\d s/);

  t.canary.served();
  expect(t.reason()).toBeUndefined();
});

test.each([
  ["the engine is away", { away: true }],
  ["the queue is paused", { paused: true }],
  ["it has no room", { hasRoom: false }],
])("a process is not stale while %s, nor at once after it", async (_title, change) => {
  using t = setup();
  await t.pass(30_000);
  Object.assign(t.world, change);
  await t.pass(300_000);
  expect(t.reason()).toBeUndefined();

  Object.assign(t.world, { away: false, paused: false, hasRoom: true });
  await t.pass(30_000);
  expect(t.reason()).toBeUndefined();
  await t.pass(60_000);
  expect(t.reason()).toBeDefined();
});
