import { randomUUID } from "node:crypto";
import { toBullmq } from "@ballast/contracts";
import { describeEachEngine, until } from "@ballast/testing";
import type { JobsOptions } from "bullmq";
import { expect, test } from "vitest";
import type { Delivery } from "../../src/engine/engine.ts";
import { handle, PermanentError, sweepFailed, TransientError } from "../../src/index.ts";
import { queue, type Setup, setup, testJob, unheeded } from "./setup.ts";

const job = testJob();
const ID = "nightly-export";

/** A worker that says what it did, and what that was. */
async function working(t: Setup) {
  const did: string[] = [];
  await t.work([
    handle(job, async ({ payload }) => {
      did.push(payload.thing);
      return { done: payload.thing };
    }),
  ]);
  return did;
}

/** Add a job as another team does; what the engine answers whoever waits for it, and when it was added. */
async function added(t: Setup, thing: string, opts: JobsOptions, requestId?: string) {
  const made = toBullmq(job, { thing }, requestId === undefined ? {} : { requestId });
  const { id = "", timestamp } = await t.queue.add(made.name, made.data, { ...made.opts, ...opts });
  await until(async () => (await t.queue.getJobState(id)) === "completed");
  const copy = await t.queue.getJob(id);
  // The engine knows first: the next one must find an end that is written down.
  await until(async () => {
    const open = await t.db.kysely
      .selectFrom("jobRuns")
      .select("id")
      .where("finishedAt", "is", null)
      .execute();
    return open.length === 0;
  });
  return { timestamp, answer: copy?.returnvalue as unknown };
}

/** What BullMQ does with jobs that have been completed for long enough, or are too many. */
const forget = (t: Setup, id: string) => t.queue.remove(id);

describeEachEngine("an id that another team gives its jobs itself", (engine) => {
  test("is new work each time the engine takes it, whatever the clocks of its producers say", async () => {
    await using t = await setup(engine);
    const did = await working(t);
    for (const [thing, behindMs] of [
      ["monday", 0],
      ["tuesday", 3_600_000],
      ["wednesday", -3_600_000],
    ] as const) {
      const timestamp = Date.now() - behindMs;
      const { answer } = await added(t, thing, { jobId: ID, timestamp });
      expect(answer).toEqual({ done: thing });
      await forget(t, ID);
    }
    expect(did).toEqual(["monday", "tuesday", "wednesday"]);
  });

  test("with the time it was added at is one job, which is not done again", async () => {
    await using t = await setup(engine);
    const did = await working(t);
    const { timestamp } = await added(t, "once", { jobId: ID });
    // As after a failover: the engine has forgotten that it ended, and gives it away again.
    await forget(t, ID);
    const { answer } = await added(t, "once", { jobId: ID, timestamp });
    expect(answer).toEqual({ done: "once" });
    expect(did).toEqual(["once"]);
  });

  test("is one wish if it is its request's, however long ago that was done", async () => {
    await using t = await setup(engine);
    const did = await working(t);
    const requestId = randomUUID();
    await added(t, "first", {}, requestId);
    await forget(t, requestId);
    const { answer } = await added(t, "again", {}, requestId);
    expect(answer).toEqual({ done: "first" });
    expect(did).toEqual(["first"]);
  });

  test("is new work also where it is a UUID, which may name a thing and no wish", async () => {
    await using t = await setup(engine);
    const did = await working(t);
    const jobId = randomUUID();
    for (const thing of ["monday", "tuesday"]) {
      await added(t, thing, { jobId });
      await forget(t, jobId);
    }
    expect(did).toEqual(["monday", "tuesday"]);
  });

  test.each(["death", "success"])(
    "is found by when it was added, among those of that id: a death after a %s is parked by the sweep",
    async (before) => {
      await using t = await setup(engine);
      const worker = await t.work([
        handle(job, async () => {
          if (before === "death") throw new PermanentError("no_thing", "there is no thing");
          return { done: "" };
        }),
      ]);
      const data = { v: 1, payload: { thing: "first" } };
      await t.queue.add(job.name, data, { jobId: ID });
      const first = await until(async () => {
        const seen = await t.theirs(ID);
        return seen?.run.finishedAt ? seen.run : undefined;
      });
      await until(async () => ["completed", "failed"].includes(await t.queue.getJobState(ID)));
      await worker[Symbol.asyncDispose]();
      await t.db.kysely
        .updateTable("deadLetters")
        .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
        .execute();
      const sweep = () => sweepFailed({ ...t, queues: [queue], graceMs: 0 });
      expect(await sweep()).toMatchObject({ removed: before === "death" ? 1 : 0 });
      if (before === "success") await forget(t, ID);

      await t.queue.add(job.name, data, { jobId: ID });
      await dieUnseen(t);
      expect(await sweep()).toMatchObject({ adopted: 1, removed: 0 });

      const second = await t.theirs(ID);
      expect(second?.run).toMatchObject({ state: "dead", errorCode: "unseen" });
      expect(second?.run.id).not.toBe(first.id);
      // The letter of the first no longer speaks for what stands there now.
      expect(await t.engine.removeFailed(queue.name, [first.engineJobId])).toHaveLength(1);
      expect(await sweep()).toMatchObject({ seen: 1, adopted: 0, removed: 0 });
    },
  );
});

describeEachEngine("a job that this runtime adds", (engine) => {
  test("is known by the id it was given, also one of another team that is added again", async () => {
    await using t = await setup(engine);
    const id = `${ID}@1764230400000`;
    await t.engine.add(queue.name, [
      { id, name: job.name, data: { v: 1, payload: { thing: "a" } }, priority: 0 },
    ]);
    const [death] = await dieUnseen(t);
    expect(death).toMatchObject({ engineJobId: id, isOurs: true });
    const { jobs } = await t.engine.failed(queue.name, { limit: 10 });
    expect(jobs).toMatchObject([{ engineJobId: id, id }]);
  });
});

/** As runs were called before other teams' jobs were known by the time as well. */
async function callAsBefore(t: Setup): Promise<void> {
  for (const table of ["jobRuns", "deadLetters"] as const)
    await t.db.kysely.updateTable(table).set({ engineJobId: ID }).execute();
}

describeEachEngine("a run of another team that is known by its id alone", (engine) => {
  test("goes on as the run that it is", async () => {
    await using t = await setup(engine);
    const attempts: number[] = [];
    const patient = testJob({ backoff: { type: "fixed", delayMs: 500 } });
    await t.work([
      handle(patient, async ({ attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new TransientError("busy", "not yet");
        return { done: "" };
      }),
    ]);
    await t.queue.add(job.name, { v: 1, payload: { thing: "a" } }, { jobId: ID });
    await until(async () => (await t.theirs(ID))?.attempts.length === 1);
    await callAsBefore(t);

    await until(async () => (await t.theirs(ID))?.run.state === "completed");
    expect(attempts).toEqual([1, 2]);
    expect(await t.db.kysely.selectFrom("jobRuns").select("state").execute()).toHaveLength(1);
  });

  test("is not parked a second time", async () => {
    await using t = await setup(engine);
    await t.work([
      handle(job, async () => {
        throw new PermanentError("no_thing", "there is no thing");
      }),
    ]);
    await t.queue.add(job.name, { v: 1, payload: { thing: "a" } }, { jobId: ID });
    await until(async () => (await t.theirs(ID))?.run.state === "dead");
    await callAsBefore(t);
    await t.db.kysely.deleteFrom("jobRuns").execute(); // to history, and out of it

    expect(await sweepFailed({ ...t, queues: [queue], graceMs: 0 })).toMatchObject({ adopted: 0 });
    expect(await t.db.kysely.selectFrom("deadLetters").select("code").execute()).toHaveLength(1);
  });
});

/** Fail what waits as the engine does it when workers die under it, with nobody who writes that down. */
async function dieUnseen(t: Setup): Promise<Delivery[]> {
  const given: Delivery[] = [];
  const consumer = await t.engine.consume({
    queue,
    concurrency: 1,
    worker: "other",
    log: t.telemetry.log,
    attempt: async (delivery) => {
      given.push(delivery);
      return { outcome: { kind: "dead", error: new PermanentError("unseen", "x") }, told() {} };
    },
    ...unheeded,
  });
  await until(async () => (await t.engine.state(queue.name)).failed === 1);
  await consumer.close();
  return given;
}
