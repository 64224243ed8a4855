import { BULK_PRIORITY } from "@ballast/contracts";
import { until } from "@ballast/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { startDispatcher } from "../src/dispatcher.ts";
import type { EngineJob } from "../src/engine/engine.ts";
import type { ClaimedRun, Handed } from "../src/store.ts";
import type { Tracer } from "../src/tracing.ts";
import { quietTelemetry } from "./integration/setup.ts";
import { recordingTracer } from "./recording-tracer.ts";

const aRun = (id: string): ClaimedRun => ({
  id,
  engineJobId: id,
  queue: "test",
  job: "do-thing",
  version: 1,
  payload: {},
  companyId: null,
  subject: null,
  slot: null,
  priority: 0,
  dueAt: null,
  deadlineAt: new Date(8e15),
  heldFor: null,
  requestId: id,
  requestedBy: null,
  traceparent: null,
  createdAt: new Date(),
  inEngine: false,
});

/** A dispatcher between a list of runs and an engine that is `away`, or refuses what is named poison. */
async function setup(tracer?: Tracer) {
  const waiting: ClaimedRun[] = [];
  const claimed = new Set<string>();
  const handed: string[] = [];
  const noted: string[] = [];
  const takenBack: string[] = [];
  const calls = { expirations: 0, adds: 0, looks: 0 };
  const due: { inMs: number | null } = { inMs: null };
  let meanwhile = async () => {};
  const engine = {
    away: false,
    async add(_queue: string, jobs: readonly EngineJob[]) {
      calls.adds += 1;
      if (engine.away) throw new Error("away");
      if (jobs.some(({ id }) => id.startsWith("poison"))) throw new Error("refused");
      handed.push(...jobs.map(({ id }) => id));
    },
    async prioritize(_queue: string, id: string) {
      handed.push(id);
    },
    async ping() {
      if (engine.away) throw new Error("away");
    },
  };
  const store = {
    async claim() {
      calls.looks += 1;
      await meanwhile();
      const free = waiting.filter(({ id }) => !claimed.has(id));
      for (const { id } of free) claimed.add(id);
      return free;
    },
    async handedOver(runs: readonly Handed[]) {
      noted.push(...runs.map(({ id }) => id));
      for (const { id } of runs) {
        const at = waiting.findIndex((run) => run.id === id);
        if (at >= 0) waiting.splice(at, 1);
      }
    },
    async unclaim(ids: readonly string[]) {
      for (const id of ids) claimed.delete(id);
    },
    async takeBack(ids: readonly string[]) {
      takenBack.push(...ids);
    },
    nextDueInMs: async () => due.inMs,
    onDispatch: async () => ({ async [Symbol.asyncDispose]() {} }),
    async expire() {
      calls.expirations += 1;
      return 0;
    },
  };
  const admission = { engineIsFull: false };
  const lags: number[] = [];
  const bulkCounts: number[] = [];
  const quiet = quietTelemetry();
  const jobs = {
    ...quiet.jobs,
    dispatched: (_queue: string, _count: number, lagSeconds: number, bulkCount: number) => {
      lags.push(lagSeconds);
      bulkCounts.push(bulkCount);
    },
  };
  const dispatcher = await startDispatcher({
    store,
    engine,
    engineIsFull: () => admission.engineIsFull,
    telemetry: { ...quiet, jobs, ...(tracer && { tracer }) },
  });
  onTestFinished(() => dispatcher[Symbol.asyncDispose]());
  const ask = (id: string, change: Partial<ClaimedRun> = {}) => {
    waiting.push({ ...aRun(id), ...change });
    dispatcher.nudge();
  };
  const whileClaiming = (act: () => Promise<void>) => {
    meanwhile = act;
  };
  /** Recorded by another process, whose word is lost. */
  const leave = (id: string) => void waiting.push(aRun(id));
  return {
    dispatcher,
    engine,
    admission,
    ask,
    leave,
    handed,
    noted,
    takenBack,
    lags,
    bulkCounts,
    calls,
    due,
    whileClaiming,
  };
}

function useFakeTimers() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
}

test("a run that the engine refuses holds no other back", async () => {
  useFakeTimers();
  const { ask, handed } = await setup();
  ask("poison");
  await vi.advanceTimersByTimeAsync(2_000); // pauses would have grown to two seconds by now
  ask("good");
  await vi.advanceTimersByTimeAsync(300);
  expect(handed).toEqual(["good"]);
});

test("an outage leaves no listeners behind, and a stop does not wait for its pause to end", async () => {
  const warned = vi.fn();
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  useFakeTimers();
  const { dispatcher, engine, ask, calls } = await setup();
  engine.away = true;
  ask("a");
  while (calls.adds < 15) await vi.advanceTimersByTimeAsync(5_000);
  await dispatcher[Symbol.asyncDispose]();
  await dispatcher[Symbol.asyncDispose]();
  expect(vi.getTimerCount()).toBe(0);
  await new Promise((resolve) => setImmediate(resolve)); // warnings come in the next turn
  expect(warned).not.toHaveBeenCalled();
});

test("runs whose deadline passed are ended also while wishes never stop coming", async () => {
  const { dispatcher, calls, whileClaiming } = await setup();
  await until(() => calls.expirations > 0);
  const before = calls.expirations;
  whileClaiming(async () => {
    dispatcher.nudge();
    await new Promise((resolve) => setImmediate(resolve));
  });
  dispatcher.nudge();
  await until(() => calls.expirations > before);
});

test("what was noted as it was recorded is handed over without a look for it, or another note", async () => {
  useFakeTimers();
  const { dispatcher, handed, noted, calls } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  expect(dispatcher.takes).toBe(true);
  const looks = calls.looks;
  for (let n = 0; n < 5; n++) {
    dispatcher.take([aRun(`${n}`)]);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(handed).toEqual(["0", "1", "2", "3", "4"]);
  expect(noted).toEqual([]);
  expect(calls.looks).toBe(looks);
  for (let n = 0; n < 300; n++) {
    dispatcher.take([aRun("again")]);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(calls.looks).toBeGreaterThanOrEqual(looks + 2); // others' runs wait a second at most
});

test("what a healthy engine refuses of what was recorded is taken back, and its neighbour goes", async () => {
  useFakeTimers();
  const { dispatcher, handed, takenBack } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.take([aRun("poison"), aRun("good")]);
  await vi.advanceTimersByTimeAsync(10);
  expect(handed).toEqual(["good"]);
  expect(takenBack).toEqual(["poison"]);
});

test("an engine that is away is given nothing in passing: runs stay recorded, and are looked for again", async () => {
  useFakeTimers();
  const { dispatcher, engine, leave, takenBack, handed } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  engine.away = true;
  for (const id of ["a", "b"]) leave(id);
  dispatcher.take([aRun("a")]);
  await vi.advanceTimersByTimeAsync(10);
  expect(takenBack).toEqual(["a"]);
  expect(dispatcher.takes).toBe(false);
  engine.away = false;
  dispatcher.take([aRun("late")]); // committed while it was not known yet
  await vi.advanceTimersByTimeAsync(300);
  expect(handed).toEqual(["late", "a", "b"]);
  expect(dispatcher.takes).toBe(true);
});

test("while there may be more to look for than one batch, nobody's wish goes before it", async () => {
  useFakeTimers();
  const { dispatcher, leave, handed, calls, whileClaiming } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  const looks = calls.looks;
  for (let n = 0; n < 201; n++) leave(`${n}`);
  const seen: unknown[] = [];
  whileClaiming(async () => void seen.push(dispatcher.takes));
  dispatcher.nudge();
  await vi.advanceTimersByTimeAsync(10);
  expect(handed).toHaveLength(201);
  expect(calls.looks).toBe(looks + 2); // and the second at once
  expect(seen).toEqual([false, false]);
  expect(dispatcher.takes).toBe(true);
});

test("an engine that was full is given what waited for it before anything newer", async () => {
  useFakeTimers();
  const { dispatcher, admission, leave, handed, calls } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  admission.engineIsFull = true;
  dispatcher.nudge();
  await vi.advanceTimersByTimeAsync(10);
  const looks = calls.looks;
  leave("older");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(dispatcher.takes).toBe(false);
  expect(calls.looks).toBe(looks);
  admission.engineIsFull = false;
  expect(dispatcher.takes).toBe(false); // until somebody has looked
  await vi.advanceTimersByTimeAsync(1_000);
  expect(handed).toEqual(["older"]);
  expect(dispatcher.takes).toBe(true);
});

test("what falls due is looked for in time, whatever is taken meanwhile", async () => {
  useFakeTimers();
  const { dispatcher, due, leave, handed } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  due.inMs = 300;
  dispatcher.nudge();
  await vi.advanceTimersByTimeAsync(0);
  leave("due");
  for (let n = 0; n < 40; n++) {
    dispatcher.take([aRun("taken")]);
    await vi.advanceTimersByTimeAsync(10);
    due.inMs = null;
  }
  expect(handed).toContain("due");
});

test("bulk work has its turn among what is taken", async () => {
  useFakeTimers();
  const { dispatcher, ask, calls } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  ask("bulk", { priority: BULK_PRIORITY });
  await vi.advanceTimersByTimeAsync(10);
  const looks = calls.looks;
  for (let n = 0; n < 20; n++) {
    dispatcher.take([aRun("taken")]);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(calls.looks).toBe(looks + 20); // as long as there was some a moment ago
});

test("bulk work is late for nobody, also when its turn has come", async () => {
  useFakeTimers();
  const { dispatcher, ask, handed, lags } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.take([1, 2, 3, 4].map((n) => aRun(`${n}`)));
  await vi.advanceTimersByTimeAsync(10);
  const hourAgo = new Date(Date.now() - 3_600_000);
  ask("bulk", { priority: BULK_PRIORITY, createdAt: hourAgo });
  await vi.advanceTimersByTimeAsync(10);
  expect(handed).toContain("bulk");
  expect(Math.max(...lags)).toBeLessThan(1);
});

test("bulk work is counted apart, also when its turn has come", async () => {
  useFakeTimers();
  const { dispatcher, ask, bulkCounts } = await setup();
  await vi.advanceTimersByTimeAsync(0);
  dispatcher.take([1, 2, 3, 4].map((n) => aRun(`${n}`)));
  await vi.advanceTimersByTimeAsync(10);
  ask("its turn", { priority: BULK_PRIORITY });
  ask("room for it", { priority: BULK_PRIORITY });
  ask("urgent");
  // The engine has it already, and is only told its new priority.
  ask("raised", { priority: BULK_PRIORITY, inEngine: true });
  await vi.advanceTimersByTimeAsync(10);
  expect(bulkCounts.reduce((sum, count) => sum + count)).toBe(2);
});

test("a stop gives back what it had no time for, and what comes after it", async () => {
  const { dispatcher, takenBack, whileClaiming } = await setup();
  await until(() => dispatcher.takes);
  const looking = Promise.withResolvers<void>();
  const looked = Promise.withResolvers<void>();
  whileClaiming(() => {
    looking.resolve();
    return looked.promise;
  });
  dispatcher.nudge();
  await looking.promise;
  dispatcher.take([aRun("before")]);
  const stopped = dispatcher[Symbol.asyncDispose]();
  looked.resolve();
  await stopped;
  dispatcher.take([aRun("after")]);
  expect(dispatcher.takes).toBe(false);
  expect(takenBack).toEqual(["before", "after"]);
});

test("what belongs to a trace shows in it how long it was in the outbox", async () => {
  const { tracer, spans } = recordingTracer();
  const { ask, handed } = await setup(tracer);
  const createdAt = new Date(Date.now() - 60_000);
  const dueAt = new Date(Date.now() - 1_000);
  ask("a", { traceparent: "00-trace-parent-01", createdAt, dueAt });
  ask("untraced");
  ask("there-already", { traceparent: "00-trace-other-01", inEngine: true });
  await until(() => handed.length === 3);
  await until(() => spans.length === 1);

  expect(spans).toMatchObject([
    { name: "send test", parent: "00-trace-parent-01", startedAt: dueAt, isOver: true },
  ]);
});
