import { openDatabase, openRunStore } from "@ballast/database";
import {
  describeEachEngine,
  describeOnRedis,
  openProxy,
  postgresEngine,
  startRedisProcess,
} from "@ballast/testing";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { handle, openEngine, startDispatcher, startWorker } from "../../src/index.ts";
import { queue, quiet, setup, testJob } from "./setup.ts";

/** On Redis longer than a worker waits for a job when there is none, or that would be silence. */
const SILENCE_MS = { redis: 5_500, postgres: 1_000 };
const job = testJob();
const echo = handle(job, async ({ payload }) => ({ done: payload.thing }));

describeEachEngine("an engine whose host vanishes without a word", (engine) => {
  test("is asked over new connections by callers and workers", { timeout: 60_000 }, async () => {
    await using t = await setup(engine);
    await using door = await openProxy(t.url);
    const options = { log: quiet, prefix: t.prefix, silenceMs: SILENCE_MS[engine.kind] };
    await using calling = openEngine(door.url, options);
    await using working = openEngine(door.url, options);
    await using _worker = await startWorker({ ...t, queue, engine: working, handlers: [echo] });
    const dispatcher = await t.dispatch(calling);
    const before = await t.ask(job, { thing: "before" });
    dispatcher.nudge();
    await t.reach(before.requestId, "completed");

    door.vanish();
    await door.open();
    const after = await t.ask(job, { thing: "after" });
    dispatcher.nudge();
    await t.reach(after.requestId, "completed");
  });
});

test("a PostgreSQL whose host vanishes stops neither dispatcher nor worker", async () => {
  await using t = await setup(postgresEngine);
  await using door = await openProxy(t.databaseUrl);
  await using database = await openDatabase(door.url, { applicationName: "far", silenceMs: 1_000 });
  const store = openRunStore(database);
  await using dispatcher = await startDispatcher({ ...t, store });
  await using _worker = await startWorker({ ...t, queue, store, handlers: [echo] });
  const before = await t.ask(job, { thing: "before" });
  await t.reach(before.requestId, "completed");

  door.vanish();
  await door.open();
  const after = await t.ask(job, { thing: "after" });
  dispatcher.nudge();
  await t.reach(after.requestId, "completed");
});

describeOnRedis("a managed Redis that fails over and keeps connections to the old master", () => {
  test("is asked where its name leads now", { timeout: 60_000 }, async () => {
    await using t = await setup(postgresEngine);
    await using old = await startRedisProcess();
    await using successor = await startRedisProcess();
    await using door = await openProxy(`redis://127.0.0.1:${old.port}`);
    const told: unknown[] = [];
    const log = { ...quiet, warn: (_: unknown, message: string) => void told.push(message) };
    await using engine = openEngine(door.url, { log });
    await using _worker = await startWorker({ ...t, queue, engine, handlers: [echo] });
    const dispatcher = await t.dispatch(engine);
    const before = await t.ask(job, { thing: "before" });
    dispatcher.nudge();
    await t.reach(before.requestId, "completed");

    const master = new Redis(old.port);
    await master.replicaof("127.0.0.1", "1");
    master.disconnect();
    door.leadTo(`redis://127.0.0.1:${successor.port}`);
    const asked = await Promise.all(["a", "b", "c", "d"].map((thing) => t.ask(job, { thing })));
    dispatcher.nudge();
    for (const { requestId } of asked) await t.reach(requestId, "completed");
    expect(told).toContain("worker of queue test reported an error");
  });
});
