import { randomUUID } from "node:crypto";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { changedSince } from "../../src/index.ts";
import { setup } from "./setup.ts";

test("a completed attempt ends its run with the result", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attempt = await t.begin(runId);
  const endedAt = new Date();
  await t.store.ended([t.end(runId, attempt, { result: { pages: 3 }, endedAt })]);
  expect(await t.view(requestId)).toMatchObject({
    run: {
      state: "completed",
      result: { pages: 3 },
      finishedAt: endedAt,
      attemptsMade: 0,
      runningAttemptId: null,
      runningOn: null,
    },
    attempts: [{ id: attempt, outcome: "completed" }],
  });
});

test.each([
  ["retry", "backoff", 1],
  ["postpone", "smtp_down", 0],
  ["interrupted", "handed_back", 0],
] as const)(
  "after %s the run waits because of %s, with %s attempts counted",
  async (outcome, waitCode, attemptsMade) => {
    await using t = await setup();
    const { requestId, runId } = await t.ask({ slot: "s" });
    const attempt = await t.begin(runId);
    const nextAttemptAt = outcome === "interrupted" ? null : new Date(Date.now() + 4_000);
    await t.store.ended([
      t.end(runId, attempt, { outcome, code: "smtp_down", message: "no answer", nextAttemptAt }),
    ]);
    expect(await t.runOf(requestId)).toMatchObject({
      state: "started",
      waitCode,
      waitMessage: "no answer",
      nextAttemptAt,
      attemptsMade,
      runningAttemptId: null,
      runningSince: null,
      runningOn: null,
    });
  },
);

test("a dead run keeps its code and message, and its last attempt counts", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attempt = await t.begin(runId);
  await t.store.ended([
    t.end(runId, attempt, { outcome: "dead", code: "bad", message: "no\u0000", stack: "at x" }),
  ]);
  expect(await t.view(requestId)).toMatchObject({
    run: { state: "dead", errorCode: "bad", errorMessage: "no\ufffd", attemptsMade: 1 },
    attempts: [{ stack: "at x" }],
  });
  expect(await t.start(runId)).toEqual({
    kind: "over",
    state: "dead",
    result: null,
    error: "no\ufffd",
  });
});

test("a batch of ends is not compared each with each, where nearly all runs are over", async () => {
  await using t = await setup();
  await sql`
    INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, priority, deadline_at, state, finished_at)
    SELECT gen_random_uuid(), 'pdf', n, 'render-invoice', 1, '{}', 0, now(), 'dead', now()
    FROM generate_series(1, 5000) n`.execute(t.db.kysely);
  await sql`ANALYZE job_runs`.execute(t.db.kysely);
  for (let n = 0; n < 5; n++) {
    const { runId } = await t.ask();
    await t.store.ended([t.end(runId, await t.begin(runId))]);
  }
  const { rows: kept } = await sql<{ name: string }>`
    SELECT name FROM pg_prepared_statements WHERE statement LIKE '%noted AS%'`.execute(t.db.kysely);
  const { rows: plan } =
    await sql<object>`EXPLAIN EXECUTE ${sql.id(kept[0]?.name ?? "")} ('[]', '')`.execute(
      t.db.kysely,
    );
  expect(JSON.stringify(plan)).toMatch(/(Merge|Hash) Left Join/);
});

test("what is put off time and again for one reason is one entry, from its first start to its last end", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const at = (second: number) => new Date(1_800_000_000_000 + second * 1_000);
  const putOff = async (second: number, code: string, message: string) => {
    const report = t.end(runId, await t.begin(runId), {
      outcome: "postpone",
      code,
      message,
      startedAt: at(second),
      endedAt: at(second + 1),
      nextAttemptAt: at(second + 60),
    });
    await t.store.ended([report]);
    return report;
  };
  await putOff(0, "gate_closed", "since 14:00");
  const again = await putOff(60, "gate_closed", "since 14:00, tried at 14:01");
  await t.store.ended([again]);
  await putOff(58, "gate_closed", "by a worker whose clock is slow");
  await putOff(120, "smtp_down", "no answer");

  const { run, attempts } = await t.view(requestId);
  expect(run).toMatchObject({
    waitCode: "smtp_down",
    nextAttemptAt: at(180),
    attemptsMade: 0,
    runningAttemptId: null,
  });
  expect(attempts).toMatchObject([
    { startedAt: at(0), endedAt: at(61), message: "by a worker whose clock is slow" },
    { startedAt: at(120), endedAt: at(121), message: "no answer" },
  ]);
});

test("a report made twice counts once", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attempt = await t.begin(runId);
  const report = t.end(runId, attempt, { outcome: "retry" });
  await t.store.ended([report, report]);
  await t.store.ended([report]);
  expect(await t.view(requestId)).toMatchObject({
    run: { attemptsMade: 1 },
    attempts: [{ outcome: "retry" }],
  });
});

test("several attempts of one run in a batch all count, and the last says how it stands", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const reports = [];
  for (let n = 0; n < 3; n += 1) {
    const attempt = await t.begin(runId);
    reports.push(
      t.end(runId, attempt, {
        outcome: n === 2 ? "completed" : "retry",
        endedAt: new Date(Date.now() + n),
      }),
    );
  }
  await t.store.ended(reports);
  const { run, attempts } = await t.view(requestId);
  expect(run).toMatchObject({ state: "completed", attemptsMade: 2, waitCode: null });
  expect(attempts.map(({ outcome }) => outcome).sort()).toEqual(["completed", "retry", "retry"]);
});

test("a late report corrects the guess that it was lost, and leaves the newer attempt alone", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const late = await t.begin(runId);
  const current = await t.begin(runId);
  expect((await t.view(requestId)).attempts).toMatchObject([{ outcome: "lost" }]);

  await t.store.ended([
    t.end(runId, late, { outcome: "retry", message: "slow", nextAttemptAt: new Date() }),
  ]);

  expect(await t.view(requestId)).toMatchObject({
    attempts: [{ id: late, outcome: "retry" }],
    run: { runningAttemptId: current, waitCode: null, nextAttemptAt: null, attemptsMade: 1 },
  });
});

test("a run that is over stays as it ended, and the straggler is still on record", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const slow = await t.begin(runId);
  const quick = await t.begin(runId);
  await t.store.ended([t.end(runId, quick, { result: "quick" })]);
  await t.store.ended([
    t.end(runId, slow, { outcome: "dead", code: "late", startedAt: new Date(0) }),
  ]);
  expect(await t.view(requestId)).toMatchObject({
    run: { state: "completed", result: "quick", attemptsMade: 0, errorCode: null },
    attempts: [{ outcome: "dead" }, { outcome: "completed" }],
  });
});

test("what was cancelled while it ran is not tried again", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attempt = await t.begin(runId);
  await t.db.kysely
    .updateTable("jobRuns")
    .set({ cancelRequestedAt: new Date() })
    .where("id", "=", runId)
    .execute();
  expect(await t.store.cancelled([runId])).toEqual([runId]);
  await t.store.ended([
    t.end(runId, attempt, { outcome: "retry", nextAttemptAt: new Date(Date.now() + 1_000) }),
  ]);
  expect(await t.runOf(requestId)).toMatchObject({
    state: "cancelled",
    finishedAt: expect.any(Date),
    nextAttemptAt: null,
  });
});

test("reports of unknown runs are passed over", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attempt = await t.begin(runId);
  await t.store.ended([t.end(randomUUID(), randomUUID()), t.end(runId, attempt)]);
  expect((await t.runOf(requestId)).state).toBe("completed");
});

test("the end of a slot's run wakes dispatchers, and the next may go", async () => {
  await using t = await setup();
  const one = await t.ask({ slot: "s" });
  const attempt = await t.begin(one.runId);
  const next = await t.ask({ slot: "s" });
  let woken = 0;
  await using _ = await t.store.onDispatch(() => {
    woken += 1;
  });

  await t.store.ended([t.end(one.runId, attempt, { outcome: "retry" })]);
  expect(await t.claim()).toEqual([]);
  const again = await t.begin(one.runId);
  await t.store.ended([t.end(one.runId, again)]);

  await until(() => woken > 0, { what: "the wake" });
  expect(woken).toBe(1);
  expect((await t.claim()).map(({ id }) => id)).toEqual([next.runId]);
});

test("a batch of hundreds is one statement, and concurrent ones do not deadlock", async () => {
  await using t = await setup();
  const asked = await Promise.all(Array.from({ length: 200 }, () => t.ask()));
  const starts = asked.map(({ runId }) => t.aStart(runId));
  await t.store.start(starts);
  const reports = starts.map((start) => t.end(start.engineJobId, start.attemptId));
  const ids = asked.map(({ runId }) => runId);

  await Promise.all([
    t.store.ended(reports),
    t.store.touch(ids.toReversed()),
    t.store.progressed(ids.map((runId) => ({ runId, progress: 50 }))),
    t.store.ended(reports.toReversed()),
    t.store.start(starts.toReversed()),
  ]);

  const left = await t.db.kysely
    .selectFrom("jobRuns")
    .select("id")
    .where("state", "<>", "completed")
    .execute();
  expect(left).toEqual([]);
});

test("progress is kept as last said, and each visible change has a higher number", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  await t.begin(runId);
  const { changeNo } = await t.runOf(requestId);
  await t.store.progressed([
    { runId, progress: { percent: 10 } },
    { runId, progress: { percent: 20 } },
  ]);
  const after = await t.runOf(requestId);
  expect(after.progress).toEqual({ percent: 20 });
  expect(after.changeNo).toBeGreaterThan(changeNo);
  expect(await changedSince(t.db.kysely, [runId], changeNo)).toEqual([
    { runId, changeNo: after.changeNo },
  ]);

  await t.store.touch([runId]);
  expect(await changedSince(t.db.kysely, [runId], after.changeNo)).toEqual([]);
});
