import { expect, test } from "vitest";
import { reconcile } from "../src/reconciler.ts";
import type { CopiedEnd, SilentRun } from "../src/store.ts";
import { quietTelemetry } from "./integration/setup.ts";

const silentRun = (id: string): SilentRun => ({
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
  createdAt: new Date(0),
  touchedAt: new Date(0),
  silentMs: 100_000,
  running: false,
  inEngine: false,
});

/** A wiped engine, which refuses whatever is named poison, beside `runs` that are silent. */
function setup(runs: SilentRun[]) {
  const engine = {
    away: false,
    epoch: null as string | null,
    added: [] as string[],
    async find(_queue: string, id: string) {
      if (engine.away) throw new Error("away");
      if (id.startsWith("unreadable")) throw new Error("no JSON");
      return undefined;
    },
    async add(_queue: string, jobs: readonly { id: string }[]) {
      if (jobs.some(({ id }) => id.startsWith("poison"))) throw new Error("refused");
      engine.added.push(...jobs.map(({ id }) => id));
    },
    async prioritize() {},
    async ping() {
      if (engine.away) throw new Error("away");
    },
    setPaused: async () => {},
    readEpoch: async () => engine.epoch,
    async writeEpoch(epoch: string) {
      engine.epoch = epoch;
    },
  };
  const touched = new Set<string>();
  const store = {
    silent: async (_ms: number, limit: number) =>
      runs.filter(({ id }) => !touched.has(id)).slice(0, limit),
    async reclaim(lost: readonly { id: string }[]) {
      for (const { id } of lost) touched.add(id);
      return lost.map(({ id }) => id);
    },
    touch: async () => {},
    copyEnd: async () => {},
    queueOrders: async () => [],
    orderTold: async () => {},
    readMark: async () => engine.epoch,
    writeMark: async () => {},
  };
  return { engine, store, telemetry: quietTelemetry() };
}

test("a run that the engine refuses, or cannot read, keeps no other from being added", async () => {
  const ids = ["unreadable", "poison", "a", "b"];
  const t = setup(ids.map(silentRun));
  expect(await reconcile(t)).toMatchObject({ readded: 2 });
  expect(t.engine.added).toEqual(["a", "b"]);
  expect(t.engine.epoch).not.toBeNull();
});

test("an engine that goes away in the middle of a pass does not count as looked through", async () => {
  const t = setup(["a"].map(silentRun));
  t.engine.away = true;
  await expect(reconcile(t)).rejects.toThrow("away");
  expect(t.engine.epoch).toBeNull();
});

test("an engine that did not answer in time does not count as looked through, though it is there", async () => {
  const t = setup(["a"].map(silentRun));
  const late = Object.assign(new Error("no answer in 3000 ms"), { dependencyDown: true });
  const engine = { ...t.engine, add: () => Promise.reject(late) };
  await expect(reconcile({ ...t, engine })).rejects.toThrow(late);
  expect(engine.epoch).toBeNull();
});

test("by whose clock a running run was last heard of makes no difference after a wipe", async () => {
  const heardOf = { running: true, touchedAt: new Date(0), silentMs: 1_000 };
  const t = setup([{ ...silentRun("a"), ...heardOf }, silentRun("b")]);
  expect(await reconcile(t)).toMatchObject({ readded: 1 });
  expect(t.engine.added).toEqual(["b"]);
});

test("more runs than a page holds are all looked at, though some are left as they are", async () => {
  const left = Array.from({ length: 150 }, (_, nth) => `unreadable ${nth}`);
  const good = Array.from({ length: 500 }, (_, nth) => `good ${nth}`);
  const t = setup([...left, ...good].map(silentRun));
  expect(await reconcile(t)).toMatchObject({ readded: 500 });
});

test.each([
  ["gone: no thing\nat all", { code: "gone", message: "no thing\nat all" }],
  ["job stalled more than allowable limit", { code: "stalled_too_often" }],
  ["Error: no code", { code: null, message: "Error: no code" }],
])("a death copied from the engine, %j, keeps what it was for", async (failedReason, kept) => {
  const t = setup([silentRun("a")]);
  const copied: CopiedEnd[] = [];
  await reconcile({
    ...t,
    engine: {
      ...t.engine,
      find: async () => ({ state: "failed", result: null, failedReason, finishedAt: null }),
    },
    store: { ...t.store, copyEnd: async (end) => void copied.push(end) },
    silentMs: 0,
  });
  expect(copied).toMatchObject([{ runId: "a", state: "dead", ...kept }]);
});
