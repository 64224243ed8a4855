import { randomUUID } from "node:crypto";
import { toBullmq } from "@ballast/contracts";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { handle, PermanentError, startWorker, sweepFailed } from "../../src/index.ts";
import { queue, type Setup, setup, testJob, unheeded } from "./setup.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

const job = testJob();
const sweep = (t: Setup) =>
  sweepFailed({
    engine: t.engine,
    store: t.store,
    telemetry: t.telemetry,
    queues: [queue],
    graceMs: 0,
  });
const letters = (t: Setup) =>
  t.db.kysely.selectFrom("deadLetters").selectAll().orderBy("diedAt").execute();
const dies = handle(job, async () => {
  throw new PermanentError("no_thing", "there is no thing");
});
const failedInEngine = (t: Setup, id: string) =>
  until(async () => (await t.engine.find(queue.name, id))?.state === "failed");

/** A worker that fails jobs in the engine and is killed before it writes any death down. */
const muteWorker = (t: Setup) =>
  startWorker({
    queue,
    engine: t.engine,
    store: { ...t.store, ended: () => new Promise<void>(() => {}) },
    telemetry: t.telemetry,
    handlers: [dies],
  });

/** Fail a waiting job of another team as the engine does it when workers die under it. */
async function stallToDeath(t: Setup, count: number): Promise<void> {
  const worker = await t.engine.consume({
    queue,
    concurrency: 20,
    worker: "other",
    log: t.telemetry.log,
    attempt: async () => ({
      outcome: { kind: "dead", error: new PermanentError("unseen", "x") },
      told() {},
    }),
    ...unheeded,
  });
  await until(async () => (await t.engine.state(queue.name)).failed === count, {
    deadlineMs: 60_000,
  });
  await worker.close();
}

describeEachEngine("the sweep of failed sets", (engine) => {
  test("parks a death whose worker was killed between failing and parking, once", async () => {
    await using t = await setup(engine);
    await t.dispatch();
    const worker = await muteWorker(t);
    const { runId } = await t.ask(job, { thing: "a" });
    await failedInEngine(t, runId);
    expect(await letters(t)).toEqual([]);

    const swept = await Promise.all([sweep(t), sweep(t), sweep(t)]);

    expect(swept.every(({ seen }) => seen === 1)).toBe(true);
    expect(await letters(t)).toMatchObject([
      { runId, code: "no_thing", message: "there is no thing", state: "open" },
    ]);
    expect(await sweep(t)).toEqual({ seen: 1, copied: 0, adopted: 0, removed: 0 });
    await worker[Symbol.asyncDispose]();
  });

  test("takes in and parks another team's job that died before it was ever written down", async () => {
    await using t = await setup(engine);
    const id = randomUUID();
    const { name, data, opts } = toBullmq(
      job,
      { thing: "b" },
      { requestId: id, subject: "thing:b" },
    );
    await t.queue.add(name, data, opts);
    await t.queue.add(name, data, { attempts: 1 }); // the engine numbers this one
    await stallToDeath(t, 2);

    await Promise.all([sweep(t), sweep(t)]);

    const parked = await letters(t);
    expect(
      parked.sort((a, b) => (a.subject === null ? 1 : 0) - (b.subject === null ? 1 : 0)),
    ).toMatchObject([
      { job: "do-thing", subject: "thing:b", origin: "external", state: "open", code: "unseen" },
      { job: "do-thing", origin: "external", state: "open" },
    ]);
    expect(await sweep(t)).toEqual({ seen: 2, copied: 0, adopted: 0, removed: 0 });
  });

  test("leaves failed jobs alone until triage, then takes those out that nobody decides about", async () => {
    await using t = await setup(engine);
    await t.dispatch();
    await t.work([dies]);
    const runs = [await t.ask(job, { thing: "a" }), await t.ask(job, { thing: "b" })];
    for (const { requestId } of runs) await t.reach(requestId, "dead");
    const [kept, discarded] = runs.map(({ runId }) => runId) as [string, string];
    expect(await sweep(t)).toEqual({ seen: 2, copied: 0, adopted: 0, removed: 0 });

    await t.db.kysely
      .updateTable("deadLetters")
      .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
      .where("runId", "=", discarded)
      .execute();

    expect(await sweep(t)).toEqual({ seen: 2, copied: 0, adopted: 0, removed: 1 });
    expect(await t.engine.find(queue.name, discarded)).toBeUndefined();
    expect(await t.engine.find(queue.name, kept)).toMatchObject({ state: "failed" });
  });

  test("a death whose run was dropped long ago is known by its letter, and not parked a second time", async () => {
    await using t = await setup(engine);
    await t.dispatch();
    await t.work([dies]);
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    await t.reach(requestId, "dead");
    await t.db.kysely.deleteFrom("jobRuns").where("id", "=", runId).execute();

    expect(await sweep(t)).toMatchObject({ adopted: 0, removed: 0 });
    expect(await letters(t)).toHaveLength(1);

    await t.db.kysely
      .updateTable("deadLetters")
      .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
      .execute();
    expect(await sweep(t)).toMatchObject({ adopted: 0, removed: 1 });
    expect(await letters(t)).toHaveLength(1);
  });

  test("is given failed jobs by their ids alone, page by page", async () => {
    await using t = await setup(engine);
    const count = 600;
    await t.queue.addBulk(
      Array.from({ length: count }, (_, n) => ({
        name: job.name,
        data: { v: 1, payload: { thing: String(n) } },
      })),
    );
    await stallToDeath(t, count);
    let cursor: string | undefined;
    const ids = new Set<string>();
    do {
      const page = await t.engine.failed(queue.name, { limit: 250, cursor });
      for (const { engineJobId } of page.jobs) ids.add(engineJobId);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(ids.size).toBe(count);
    expect([...ids].every((id) => /^\d+@\d+$/.test(id))).toBe(true);
  }, 90_000);

  test("takes out what is failed, and tells what is gone", async () => {
    await using t = await setup(engine);
    await t.dispatch();
    await t.work([dies]);
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    await t.reach(requestId, "dead");

    expect(await t.engine.removeFailed(queue.name, [runId, randomUUID()])).toHaveLength(2);
    expect(await t.engine.find(queue.name, runId)).toBeUndefined();
  });
});
