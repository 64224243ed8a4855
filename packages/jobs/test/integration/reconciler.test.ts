import { findJobByEngineId } from "@ballast/database";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { journalId } from "../../src/identity.ts";
import { handle, reconcile, startWorker, TransientError } from "../../src/index.ts";
import { type Setup, setup, testJob } from "./setup.ts";

/** In the engine, and PostgreSQL has noted it: only such runs are looked for. */
const handedOver = (t: Setup, requestId: string) =>
  until(async () => (await t.view(requestId)).run.handedAt !== null);

describeEachEngine("the reconciler", (engine) => {
  test("adds again, under the same id, what a wiped engine lost", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await reconcile(t);
    const dispatcher = await t.dispatch();
    const asked = await Promise.all(["a", "b", "c"].map((thing) => t.ask(job, { thing })));
    dispatcher.nudge();
    for (const { requestId } of asked) await handedOver(t, requestId);

    await t.wipe();
    expect(await reconcile(t)).toEqual({ seen: 0, readded: 3, copied: 0 });
    expect(await reconcile(t)).toEqual({ seen: 0, readded: 0, copied: 0 });

    await t.work([handle(job, async ({ payload }) => ({ done: payload.thing }))]);
    for (const { requestId } of asked) await t.reach(requestId, "completed");
  });

  test("by two replicas at once adds each run once", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await reconcile(t);
    const dispatcher = await t.dispatch();
    const { requestId } = await t.ask(job, { thing: "a" });
    dispatcher.nudge();
    await handedOver(t, requestId);
    await t.wipe();

    await Promise.all([reconcile(t), reconcile(t)]);
    let ran = 0;
    await t.work([
      handle(job, async () => {
        ran += 1;
        return { done: "" };
      }),
    ]);
    await t.reach(requestId, "completed");
    expect(ran).toBe(1);
  });

  test("leaves a run alone that goes on while the engine is wiped under it", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const end = Promise.withResolvers<void>();
    let ran = 0;
    await reconcile(t);
    await t.dispatch();
    await t.work([
      handle(job, async () => {
        ran += 1;
        await end.promise;
        return { done: "once" };
      }),
    ]);
    const { runId } = await t.ask(job, { thing: "a" });
    await until(() => ran === 1);

    await t.engine.writeEpoch("a wiped engine has another epoch");
    expect(await reconcile(t)).toEqual({ seen: 0, readded: 0, copied: 0 });
    expect(await t.engine.find("test", runId)).toMatchObject({ state: "active" });
    end.resolve();
  });

  test("copies the end of a run whose worker could not write it", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await reconcile(t);
    const dispatcher = await t.dispatch();
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    dispatcher.nudge();
    await handedOver(t, requestId);
    // A worker that tells the engine and then dies before it tells PostgreSQL.
    const store = { ...t.store, ended: () => new Promise<void>(() => {}) };
    await using _worker = await startWorker({
      queue: job.queue,
      engine: t.engine,
      store,
      telemetry: t.telemetry,
      handlers: [handle(job, async () => ({ done: "in the engine" }))],
    });
    await until(async () => (await t.engine.find("test", runId))?.state === "completed");
    expect((await t.view(requestId)).run.state).toBe("started");

    expect(await reconcile({ ...t, silentMs: 0 })).toMatchObject({ copied: 1 });
    expect((await t.view(requestId)).run).toMatchObject({
      state: "completed",
      result: { done: "in the engine" },
    });
  });

  test("leaves alone what the engine still has", async () => {
    await using t = await setup(engine);
    await reconcile(t);
    const dispatcher = await t.dispatch();
    const { requestId } = await t.ask(testJob(), { thing: "a" });
    dispatcher.nudge();
    await handedOver(t, requestId);
    expect(await reconcile({ ...t, silentMs: 0 })).toEqual({ seen: 1, readded: 0, copied: 0 });
  });

  test.each([
    ["the engine had numbered it itself", undefined],
    ["its id was its team's own", "nightly@export"],
    ["its id is as long as any may be", "x".repeat(500)],
  ])("adds another team's job again, although %s", async (_title, jobId) => {
    await using t = await setup(engine);
    await reconcile(t);
    const job = testJob({ backoff: { type: "fixed", delayMs: 60_000 } });
    const attempts: number[] = [];
    await t.work([
      handle(job, async ({ attempt }) => {
        attempts.push(attempt);
        if (attempts.length === 1) throw new TransientError("busy", "not yet");
        return { done: "after the wipe" };
      }),
    ]);
    const theirs = { v: 1, payload: { thing: "theirs" } };
    const named = jobId === undefined ? {} : { jobId };
    const { id = "", timestamp } = await t.queue.add("do-thing", theirs, named);
    const added = { engineJobId: id, createdAt: new Date(timestamp), isOurs: false };
    const journalled = journalId(added);
    const found = (...states: string[]) =>
      until(async () => {
        const seen = await findJobByEngineId(t.db.kysely, "test", journalled);
        return seen?.attempts.length && states.includes(seen.run.state) ? seen : undefined;
      });
    await found("started");
    // It waits to be tried again: the engine has it.
    expect(await reconcile({ ...t, silentMs: 0 })).toEqual({ seen: 1, readded: 0, copied: 0 });

    await t.wipe();
    // The numbers start again, or its team adds it once more: this one is another job with the same id.
    const { id: reused } = await t.queue.add("do-thing", theirs, { ...named, delay: 60_000 });
    expect(reused).toBe(id);
    expect(await reconcile(t)).toEqual({ seen: 0, readded: 1, copied: 0 });

    expect((await found("completed")).run.result).toEqual({ done: "after the wipe" });
    expect(attempts).toEqual([1, 2]);
  });
});
