import { drill, echo } from "@ballast/contracts";
import { openRunStore } from "@ballast/database";
import {
  createRequests,
  handle,
  type Log,
  openEngine,
  PermanentError,
  prepareEngine,
  startDispatcher,
  startWorker,
} from "@ballast/jobs";
import {
  createTestDatabase,
  describeEachEngine,
  type EngineUnderTest,
  until,
} from "@ballast/testing";
import { expect, test } from "vitest";
import { clearQueue, startClearing } from "../src/rounds/clearing.ts";

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const never = new AbortController().signal;

/** Some jobs that died, parked and failed in the engine. */
async function setup(engineUnderTest: EngineUnderTest, count: number) {
  const stack = new AsyncDisposableStack();
  const { db: database } = stack.use(await createTestDatabase());
  const queue = stack.use(await engineUnderTest.open());
  await prepareEngine(queue.url);
  const engine = stack.use(openEngine(queue.url, { log: quiet, prefix: queue.prefix }));
  const store = openRunStore(database);
  const stopping = never;
  const telemetry = {
    log: quiet,
    stopping,
    version: "1.2.3",
    liveness() {},
    onFatal() {},
    jobs: { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} },
  };
  stack.use(await startDispatcher({ store, engine, telemetry }));
  const handlers = [
    handle(echo, async () => {
      throw new PermanentError("gone", "gone");
    }),
  ];
  stack.use(await startWorker({ queue: drill, handlers, engine, store, telemetry }));
  const requests = createRequests({ store });
  for (let n = 0; n < count; n++)
    await database.transaction((tx) =>
      requests.ask(tx, echo, { id: String(n) }, { companyId: null, requestedBy: "test" }),
    );
  const letters = () =>
    database.kysely.selectFrom("deadLetters").selectAll().orderBy("runId").execute();
  await until(async () => (await letters()).length === count, { deadlineMs: 60_000 });
  return {
    database,
    engine,
    letters,
    failed: async () => (await engine.state(drill.name)).failed,
    discard: (runIds: readonly string[]) =>
      database.kysely
        .updateTable("deadLetters")
        .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
        .where("runId", "in", runIds)
        .execute(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describeEachEngine("clearing", (engine) => {
  test("takes out what was settled, leaves what waits for triage, and marks what was gone already", async () => {
    await using t = await setup(engine, 5);
    const ids = (await t.letters()).map(({ runId }) => runId);
    await t.engine.remove(drill.name, ids[0] ?? "");
    await t.discard(ids.slice(0, 3));

    const [one, other] = await Promise.all([
      clearQueue(drill.name, t, never),
      clearQueue(drill.name, t, never),
    ]);

    // Where two meet, each leaves to the other what goes while it looks: they may share the three, or both count one.
    expect(one + other).toBeGreaterThanOrEqual(3);
    expect((await t.letters()).map((one) => one.engineClearedAt !== null)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(await t.failed()).toBe(2);
  }, 90_000);

  test("waits for an engine that is away, and forgets nothing", async () => {
    await using t = await setup(engine, 2);
    await t.discard((await t.letters()).map(({ runId }) => runId));
    let away = true;
    let refused = 0;
    const flaky = {
      removeFailed: async (queue: string, ids: readonly string[]) => {
        if (!away) return await t.engine.removeFailed(queue, ids);
        refused += 1;
        throw Object.assign(new Error("away"), { dependencyDown: true });
      },
    };
    await using _clearing = startClearing({
      database: t.database,
      engine: flaky,
      log: quiet,
      everyMs: 50,
    });
    await until(() => refused > 1, { deadlineMs: 60_000 });
    expect((await t.letters()).every((one) => one.engineClearedAt === null)).toBe(true);

    away = false;

    await until(async () => (await t.letters()).every((one) => one.engineClearedAt !== null), {
      deadlineMs: 60_000,
    });
    expect(await t.failed()).toBe(0);
  }, 150_000);

  test("one letter whose job cannot leave keeps no other from being cleared", async () => {
    await using t = await setup(engine, 3);
    const ids = (await t.letters()).map(({ runId }) => runId);
    await t.discard(ids);
    const stuck = {
      removeFailed: async (queue: string, wanted: readonly string[]) =>
        await t.engine.removeFailed(
          queue,
          wanted.filter((id) => id !== ids[0]),
        ),
    };
    expect(await clearQueue(drill.name, { database: t.database, engine: stuck }, never)).toBe(2);
    expect(await t.failed()).toBe(1);
  }, 90_000);
});
