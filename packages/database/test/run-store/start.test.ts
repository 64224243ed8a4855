import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Adoption } from "../../src/index.ts";
import { HOUR_MS, type Setup, setup } from "./setup.ts";

test("answers come in the order of the starts, whatever they are", async () => {
  await using t = await setup();
  const free = await t.ask({ payload: { n: 1 } });
  const over = await t.ask();
  const overAttempt = await t.begin(over.runId);
  await t.store.ended([t.end(over.runId, overAttempt, { result: { done: true } })]);
  const holder = await t.ask({ slot: "s" });
  await t.begin(holder.runId);
  const blocked = await t.ask({ slot: "s" });

  const answers = await t.store.start(
    [blocked.runId, "nobody knows", over.runId, free.runId].map((id) => t.aStart(id)),
  );

  expect(answers).toEqual([
    { kind: "slot_busy" },
    { kind: "unknown" },
    { kind: "over", state: "completed", result: { done: true }, error: null },
    {
      kind: "go",
      run: {
        id: free.runId,
        job: "render-invoice",
        version: 1,
        payload: { n: 1 },
        companyId: null,
        subject: null,
        slot: null,
        deadlineAt: expect.any(Date),
        createdAt: expect.any(Date),
        attemptsMade: 0,
        requestId: free.requestId,
        traceparent: null,
      },
    },
  ]);
});

test("a run that the engine gives away as if for the first time is left to the worker that has it", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attemptId = await t.begin(runId);
  expect(await t.start(runId, { first: true })).toEqual({ kind: "running" });
  expect((await t.runOf(requestId)).runningAttemptId).toBe(attemptId);
  expect(await t.start(runId, { first: true, attemptId })).toMatchObject({ kind: "go" }); // asked again

  await t.store.ended([t.end(runId, attemptId, { result: { done: true } })]);
  expect(await t.start(runId, { first: true })).toMatchObject({ kind: "over" });
});

test("one whose worker said nothing for long, or whose claim it let lapse, is not waited for", async () => {
  await using t = await setup();
  const silent = await t.ask();
  await t.begin(silent.runId);
  await t.touchedAgo(silent.runId, "31 seconds");
  expect(await t.start(silent.runId, { first: true })).toMatchObject({ kind: "suspect" });
  const again = await t.ask();
  await t.begin(again.runId);
  expect(await t.start(again.runId, { first: false })).toMatchObject({ kind: "go" });
});

/** Start a suspect alone, which it is from a process that ended under it on. */
async function aSuspectAlone(t: Setup) {
  const { requestId, runId } = await t.ask();
  await t.begin(runId);
  expect(await t.start(runId, { stalled: true, stalls: 1 })).toMatchObject({ kind: "suspect" });
  const alone = (stalls: number) => t.start(runId, { alone: true, stalls });
  expect(await alone(1)).toMatchObject({ kind: "go" });
  return { requestId, runId, alone };
}

test("a suspect that is handed back again and again is not taken for one that ends its processes", async () => {
  await using t = await setup();
  const { requestId, alone } = await aSuspectAlone(t);
  // Each time the next worker begins before the one that let go has reported it.
  for (let deploy = 0; deploy < 4; deploy += 1)
    expect(await alone(1)).toMatchObject({ kind: "go" });
  expect((await t.runOf(requestId)).state).toBe("started");
});

test("a suspect is dead of the third stall alone, however often it was handed back between", async () => {
  await using t = await setup();
  const { requestId, alone } = await aSuspectAlone(t);
  for (const stalls of [2, 2, 3, 3]) expect(await alone(stalls)).toMatchObject({ kind: "go" });
  expect(await alone(4)).toMatchObject({ kind: "over", state: "dead" });
  expect(await t.runOf(requestId)).toMatchObject({ state: "dead", errorCode: "crashed_process" });
});

test("one that was killed alone counts as that, also where the engine lost its count of stalls", async () => {
  await using t = await setup();
  const { requestId, runId, alone } = await aSuspectAlone(t);
  for (let crash = 1; crash <= 3; crash += 1) {
    await t.touchedAgo(runId, "31 seconds");
    expect(await alone(0)).toMatchObject({ kind: crash < 3 ? "go" : "over" });
  }
  expect((await t.runOf(requestId)).errorCode).toBe("crashed_process");
});

test("a stall makes a suspect of the attempt that it was about, and of none that was handed back later", async () => {
  await using t = await setup();
  const { runId } = await t.ask();
  const begin = (stalls: number) => t.start(runId, { stalled: stalls > 0, stalls });
  expect(await begin(1)).toMatchObject({ kind: "go" });
  expect(await begin(1)).toMatchObject({ kind: "go" });
  expect(await begin(2)).toMatchObject({ kind: "suspect" });
});

test("a start says who runs it since when, and clears why it waited", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const first = await t.begin(runId);
  await t.store.ended([
    t.end(runId, first, { outcome: "retry", message: "down", nextAttemptAt: new Date() }),
  ]);
  const second = await t.begin(runId);

  expect(await t.runOf(requestId)).toMatchObject({
    state: "started",
    runningAttemptId: second,
    runningSince: expect.any(Date),
    runningOn: "host:1",
    nextAttemptAt: null,
    waitCode: null,
    waitMessage: null,
    attemptsMade: 1,
  });
});

test("an attempt whose worker fell silent is recorded as lost by the next start", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const dead = await t.begin(runId);
  await t.begin(runId);
  const { attempts, run } = await t.view(requestId);
  expect(attempts).toMatchObject([{ id: dead, outcome: "lost", worker: "host:1" }]);
  expect(run.attemptsMade).toBe(0);
});

test("a start that is repeated with the same attempt loses nothing", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const attemptId = await t.begin(runId);
  expect(await t.start(runId, { attemptId })).toMatchObject({ kind: "go" });
  expect((await t.view(requestId)).attempts).toEqual([]);
});

test("one job twice in a batch: the second start makes the first a lost one", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const [one, two] = [t.aStart(runId), t.aStart(runId)];
  expect(await t.store.start([one, two])).toMatchObject([{ kind: "go" }, { kind: "go" }]);
  expect(await t.view(requestId)).toMatchObject({
    attempts: [{ id: one.attemptId, outcome: "lost" }],
    run: { runningAttemptId: two.attemptId },
  });
});

test("a run whose cancelling was asked for does not start again", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask({ slot: "s" });
  const attempt = await t.begin(runId);
  await t.db.kysely
    .updateTable("jobRuns")
    .set({ cancelRequestedAt: new Date() })
    .where("id", "=", runId)
    .execute();

  expect(await t.start(runId)).toEqual({
    kind: "over",
    state: "cancelled",
    result: null,
    error: null,
  });
  expect(await t.view(requestId)).toMatchObject({
    run: { state: "cancelled", finishedAt: expect.any(Date), runningAttemptId: null },
    attempts: [{ id: attempt, outcome: "lost" }],
  });
});

test("of workers that start two runs of a slot at once, one goes and one waits", async () => {
  await using t = await setup();
  for (let round = 0; round < 10; round += 1) {
    const slot = `s${round}`;
    const adoption = (): Adoption => ({ ...anAdoption(), slot });
    const answers = await Promise.all([
      t.store.adopt(adoption()),
      t.store.adopt(adoption()),
      t.ask({ slot }).then(({ runId }) => t.start(runId)),
    ]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["go", "slot_busy", "slot_busy"]);
  }
});

test("a batch in which one slot is taken meanwhile starts all the others", async () => {
  await using t = await setup();
  const contested = await t.ask({ slot: "contested" });
  const others = await Promise.all(Array.from({ length: 5 }, () => t.ask()));
  // Held open: the batch looks before this commits, and its write meets it.
  const answers = await t.db.transaction(async (tx) => {
    await tx
      .insertInto("jobRuns")
      .values({
        id: randomUUID(),
        queue: "pdf",
        engineJobId: "other",
        job: "x",
        version: 1,
        payload: "{}",
        slot: "contested",
        state: "started",
        priority: 0,
        deadlineAt: new Date(),
      })
      .execute();
    return {
      starting: t.store.start([contested, ...others].map(({ runId }) => t.aStart(runId))),
      blocked: await waitForLock(t),
    };
  });
  expect((await answers.starting).map(({ kind }) => kind)).toEqual([
    "slot_busy",
    ...others.map(() => "go"),
  ]);
});

const anAdoption = (change: Partial<Adoption> = {}): Adoption => ({
  attemptId: randomUUID(),
  queue: "pdf",
  engineJobId: randomUUID(),
  worker: "host:1",
  job: "render-invoice",
  version: 1,
  payload: { n: 1 },
  companyId: null,
  subject: "invoice:1",
  slot: null,
  deadlineAt: new Date(Date.now() + HOUR_MS),
  requestId: null,
  requestedBy: "billing",
  traceparent: null,
  createdAt: new Date(Date.now() - 5_000),
  ...change,
});

test("another team's job is adopted once, started, under the request it named", async () => {
  await using t = await setup();
  const requestId = randomUUID();
  const adoption = anAdoption({ requestId, engineJobId: requestId });

  expect(await t.start(requestId)).toEqual({ kind: "unknown" });
  expect(await t.store.adopt(adoption)).toMatchObject({
    kind: "go",
    run: { payload: { n: 1 }, requestId },
  });
  expect(await t.store.adopt({ ...adoption, attemptId: randomUUID() })).toMatchObject({
    kind: "go",
  });

  expect(await t.view(requestId)).toMatchObject({
    requestedBy: "billing",
    requestedAt: adoption.createdAt,
    run: { origin: "external", state: "started", engineJobId: requestId, subject: "invoice:1" },
    attempts: [{ id: adoption.attemptId, outcome: "lost" }],
  });
});

test("workers that adopt one job at once make one run of it", async () => {
  await using t = await setup();
  const adoption = anAdoption();
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => t.store.adopt({ ...adoption, attemptId: randomUUID() })),
  );
  const ids = answers.map((answer) => (answer.kind === "go" ? answer.run.id : answer.kind));
  expect(new Set(ids).size).toBe(1);
});

test("a request id that another job has taken is replaced, not shared", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  const answer = await t.store.adopt(anAdoption({ requestId }));
  expect(answer).toMatchObject({ kind: "go", run: { requestId: expect.any(String) } });
  expect((await t.view(requestId)).run.id).toBe(runId);
});

test("another team's odd text does not keep its job from being adopted", async () => {
  await using t = await setup();
  const requestId = randomUUID();
  await t.store.adopt(
    anAdoption({ requestId, subject: "a\u0000", requestedBy: "\ud800", payload: { x: "\u0000" } }),
  );
  expect(await t.view(requestId)).toMatchObject({
    requestedBy: "\ufffd",
    run: { subject: "a\ufffd", payload: { x: "\ufffd" } },
  });
});

async function waitForLock(t: Awaited<ReturnType<typeof setup>>): Promise<void> {
  const { until } = await import("@ballast/testing");
  const { sql } = await import("kysely");
  await until(async () => {
    const { rows } = await sql`
      SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(t.db.kysely);
    return rows.length > 0;
  });
}
