import { randomBytes, randomUUID } from "node:crypto";
import { describeEachEngine, until } from "@ballast/testing";
import type { JobsOptions } from "bullmq";
import { expect, test } from "vitest";
import { unfitId } from "../../src/identity.ts";
import { handle, startWorker, sweepFailed } from "../../src/index.ts";
import { queue, type Setup, setup, testJob } from "./setup.ts";

const good = { v: 1, payload: { thing: "a" } };

/** Resolves with the journal's view once the job ended. */
const ended = (t: Setup, jobId: string) =>
  until(async () => {
    const found = await t.theirs(jobId);
    return found?.run.finishedAt ? found : undefined;
  });

/** Work until this job has ended, and an innocent one behind it; the jobs that metrics were labelled with. */
async function workOn(t: Setup, data: unknown, opts: JobsOptions, name = "do-thing") {
  const labels: string[] = [];
  const telemetry = {
    ...t.telemetry,
    jobs: {
      ...t.telemetry.jobs,
      attemptEnded: ({ job }: { job: string }) => void labels.push(job),
    },
  };
  await using _worker = await startWorker({
    ...t,
    queue,
    telemetry,
    handlers: [handle(testJob(), async () => ({ done: "" }))],
  });
  await t.queue.add(name, data, opts);
  await t.queue.add("do-thing", good, { jobId: "innocent" });
  expect((await ended(t, "innocent")).run.state).toBe("completed");
  await until(async () => {
    const runs = await t.db.kysely.selectFrom("jobRuns").select("finishedAt").execute();
    return runs.length === 2 && runs.every(({ finishedAt }) => finishedAt !== null);
  });
  return labels;
}

describeEachEngine("a hostile job", (engine) => {
  test.each([
    ["a version beyond any number that is kept", { ...good, v: 3_000_000_000 }, {}, "no_envelope"],
    ["a version that is no whole number", { ...good, v: 1.5 }, {}, "no_envelope"],
    ["an added time before there were computers", good, { timestamp: 1 }, "deadline_exceeded"],
    ["an added time beyond all dates", good, { timestamp: 9e15 }, "deadline_exceeded"],
    ["a payload of a megabyte", { v: 1, payload: { thing: "x".repeat(1e6) } }, {}, "no_envelope"],
  ])("with %s is dead at once and can be seen", async (_title, data, opts, code) => {
    await using t = await setup(engine);
    await workOn(t, data, { ...opts, jobId: "hostile" });
    expect((await ended(t, "hostile")).run).toMatchObject({ state: "dead", errorCode: code });
  });

  test("with keys that name a prototype changes no prototype", async () => {
    await using t = await setup(engine);
    const data = JSON.parse('{"v":1,"payload":{"thing":"a","__proto__":{"admin":true}}}');
    await workOn(t, data, { jobId: "hostile" });
    expect((await ended(t, "hostile")).run.state).toBe("completed");
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test("with a name of its own labels no metric with it", async () => {
    await using t = await setup(engine);
    const labels = await workOn(t, { v: 0 }, { jobId: "hostile" }, "__proto__");
    expect((await ended(t, "hostile")).run.job).toBe("__proto__");
    expect(labels).toContain("unknown");
    expect(labels).not.toContain("__proto__");
  });

  test("that takes another's request id gets one of its own", async () => {
    await using t = await setup(engine);
    const meta = { requestId: randomUUID() };
    await t.work([handle(testJob(), async () => ({ done: "" }))]);
    await t.queue.add("do-thing", { ...good, meta }, { jobId: "first" });
    const first = await ended(t, "first");
    await t.queue.add("do-thing", { ...good, meta }, { jobId: "second" });
    const second = await ended(t, "second");
    expect(first.requestId).toBe(meta.requestId);
    expect(second.requestId).not.toBe(meta.requestId);
    expect([first.run.state, second.run.state]).toEqual(["completed", "completed"]);
  });

  // BullMQ on PostgreSQL refuses these itself.
  if (engine.kind !== "redis") return;

  test.each([
    ["longer than an index takes", "do-thing", randomBytes(4_000).toString("hex")],
    ["with U+0000 in it, and a name alike", "do\0thing", "a\0b"],
  ])("with an id %s is dead and can be seen, with the reason", async (_title, name, jobId) => {
    await using t = await setup(engine);
    await workOn(t, good, { jobId }, name);
    const letters = await t.db.kysely.selectFrom("deadLetters").selectAll().execute();
    expect(letters).toMatchObject([
      {
        job: name.replaceAll("\0", "\ufffd"),
        code: "no_envelope",
        message: unfitId(jobId),
        payload: { held: good },
      },
    ]);

    await t.db.kysely
      .updateTable("deadLetters")
      .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
      .execute();
    await sweepFailed({ ...t, queues: [queue], graceMs: 0 });
    expect(await t.queue.getJobState(jobId)).toBe("unknown");
  });
});
