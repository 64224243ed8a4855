import { BULK_PRIORITY } from "@ballast/contracts";
import { until } from "@ballast/testing";
import fc from "fast-check";
import { sql } from "kysely";
import { expect, test } from "vitest";
import type { NewRun } from "../../src/index.ts";
import { aRun, HOUR_MS, LEASE_MS, setup } from "./setup.ts";

const NOBODY = { requestedBy: null, traceparent: null };

test("the most urgent go first, among equals the one that could have begun first", async () => {
  await using t = await setup();
  const ask = async (priority: number, dueAt: Date | null = null) =>
    (await t.ask({ priority, dueAt })).runId;
  const bulk = await ask(10);
  const first = await ask(0);
  const second = await ask(0);
  const overdue = await ask(0, new Date(Date.now() - HOUR_MS));
  await ask(0, new Date(Date.now() + HOUR_MS));

  expect((await t.claim(3)).map(({ id }) => id)).toEqual([overdue, first, second]);
  expect((await t.claim(3)).map(({ id }) => id)).toEqual([bulk]);
});

test("a claimed run carries what the engine needs", async () => {
  await using t = await setup();
  const deadlineAt = new Date(Date.now() + HOUR_MS);
  const asked = await t.ask(
    { payload: { n: 7 }, slot: "s", subject: "invoice:1", priority: 3, deadlineAt },
    { requestedBy: "anna", traceparent: "00-a-b-01" },
  );
  await t.ask({ payload: { n: 7 }, slot: "s", priority: 3 });
  expect(await t.claim()).toEqual([
    {
      id: asked.runId,
      engineJobId: asked.runId,
      queue: "pdf",
      job: "render-invoice",
      version: 1,
      payload: { n: 7 },
      companyId: null,
      subject: "invoice:1",
      slot: "s",
      priority: 3,
      dueAt: null,
      deadlineAt: expect.any(Date),
      heldFor: null,
      createdAt: expect.any(Date),
      inEngine: false,
      requestId: asked.requestId,
      requestedBy: "anna",
      traceparent: "00-a-b-01",
    },
  ]);
});

test("what is recorded by one who hands over is noted as handed over where a look would claim it, and nothing else", async () => {
  await using t = await setup();
  const wishes = fc.array(
    fc.record({
      queue: fc.constantFrom("pdf", "paused"),
      slot: fc.constantFrom("busy", "waiting", "a", null),
      priority: fc.constantFrom(0, 7, BULK_PRIORITY),
      dueInMs: fc.constantFrom(null, -HOUR_MS, HOUR_MS),
    }),
    { minLength: 1, maxLength: 8 },
  );
  await sql`INSERT INTO queue_states (queue, paused, reason, changed_by) VALUES ('paused', true, 'test', 'test')`.execute(
    t.db.kysely,
  );
  /** Which of the wishes had a run that was handed over, by when it was. */
  const world = async (wanted: readonly Partial<NewRun>[], takes: boolean) => {
    await sql`DELETE FROM job_runs`.execute(t.db.kysely);
    const busy = await t.ask({ slot: "busy" });
    await t.claim();
    await t.begin(busy.runId);
    await t.ask({ slot: "waiting", dueAt: new Date(Date.now() + HOUR_MS) });
    const all = wanted.map((run) => ({ run: aRun(run), request: { ...NOBODY } }));
    const { asked, taken } = await t.store.commitAll(all, takes);
    const found = await t.claim();
    const at = (runs: readonly { id: string }[]) =>
      runs.map(({ id }) => asked.findIndex(({ runId }) => runId === id)).sort((a, b) => a - b);
    expect(taken).toEqual(
      taken.map(({ id, requestId }) =>
        expect.objectContaining({ id, engineJobId: id, requestId, inEngine: false }),
      ),
    );
    const isShared = asked.map(
      ({ runId, joined }) => joined || asked.filter((other) => other.runId === runId).length > 1,
    );
    return { taken: at(taken), found: at(found), isShared };
  };
  await fc.assert(
    fc.asyncProperty(wishes, async (wanted) => {
      const runs = wanted.map(({ dueInMs, ...run }) => ({
        ...run,
        dueAt: dueInMs === null ? null : new Date(Date.now() + dueInMs),
      }));
      const looked = await world(runs, false);
      const taken = await world(runs, true);
      expect(looked.taken).toEqual([]);
      const either = new Set([...taken.taken, ...taken.found]);
      expect([...either].sort((a, b) => a - b)).toEqual(looked.found);
      // Bulk work waits for room; a run that took another wish in may be due, or more urgent, since then.
      for (const n of taken.found)
        expect(taken.isShared[n] || runs[n]?.priority === BULK_PRIORITY).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("what is noted as it is recorded carries what the engine needs, wakes nobody, and may be taken back", async () => {
  await using t = await setup();
  const woken: string[] = [];
  await using _listener = await t.db.listen("ballast_dispatch", (said) => void woken.push(said));
  const change = { payload: { n: 7 }, slot: "s", subject: "invoice:1", priority: 3 };
  const request = { requestedBy: "anna", traceparent: "00-a-b-01" };

  const { asked, taken } = await t.store.commitAll([{ run: aRun(change), request }], true);
  const runOf = () => t.runOf(asked[0]?.requestId ?? "");
  const { handedAt, touchedAt } = await runOf();
  expect([handedAt, touchedAt]).toEqual([expect.any(Date), handedAt]);
  expect(await t.claim()).toEqual([]);
  await t.store.takeBack(taken.map(({ id }) => id));
  expect(await runOf()).toMatchObject({ handedAt: null, touchedAt: null });
  expect(await t.claim()).toEqual(taken);
  await t.store.commitAll(
    [{ run: aRun({ dueAt: new Date(Date.now() + HOUR_MS) }), request }],
    true,
  );
  await sql`SELECT pg_notify('ballast_dispatch', 'after both')`.execute(t.db.kysely);
  await until(() => woken.includes("after both"));
  expect(woken).toEqual(["", "after both"]);
});

test("dispatchers at work together never claim one run twice", async () => {
  await using t = await setup();
  for (let n = 0; n < 40; n += 1) await t.ask();
  const claims = await Promise.all(Array.from({ length: 6 }, () => t.claim(10)));
  const ids = claims.flat().map(({ id }) => id);
  expect(ids).toHaveLength(40);
  expect(new Set(ids).size).toBe(40);
});

test("a claim that was not followed by handing over lapses, or is given back", async () => {
  await using t = await setup();
  const { runId } = await t.ask();
  expect(await t.store.claim(10, 0, {})).toHaveLength(1);
  expect(await t.store.claim(10, LEASE_MS, {})).toHaveLength(1);
  expect(await t.claim()).toEqual([]);
  await t.store.unclaim([runId]);
  expect(await t.claim()).toHaveLength(1);
});

test("a run that was handed over is not claimed again", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  await t.store.claim(10, 0, {});
  await t.store.handedOver([{ id: runId, priority: 0 }]);
  expect(await t.claim()).toEqual([]);
  expect(await t.runOf(requestId)).toMatchObject({
    state: "waiting",
    handedAt: expect.any(Date),
    touchedAt: expect.any(Date),
    claimedUntil: null,
  });
});

test("a run that a worker started stays started, whatever is noted of its handing over later", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  await t.claim();
  await t.begin(runId);
  await t.store.handedOver([{ id: runId, priority: 0 }]);
  await t.store.unclaim([runId]);
  await t.store.takeBack([runId]);
  expect(await t.runOf(requestId)).toMatchObject({ state: "started", handedAt: expect.any(Date) });
  expect(await t.claim()).toEqual([]);
});

test("the next due time counts what is to come, not what waits for its slot", async () => {
  await using t = await setup();
  expect(await t.store.nextDueInMs()).toBeNull();
  const { runId } = await t.ask({ slot: "s" });
  expect(await t.store.nextDueInMs()).toBeNull();
  await t.begin(runId);
  await t.ask({ slot: "s", dueAt: new Date(Date.now() - 1) });
  expect(await t.store.nextDueInMs()).toBeNull();

  await t.ask({ dueAt: new Date(Date.now() + HOUR_MS) });
  expect(await t.store.nextDueInMs()).toBeGreaterThan(HOUR_MS - 60_000);
  await t.ask({ dueAt: new Date(Date.now() + 60_000) });
  expect(await t.store.nextDueInMs()).toBeLessThanOrEqual(60_000);
  await t.ask({ dueAt: new Date(Date.now() - 1) });
  expect(await t.store.nextDueInMs()).toBe(0);
});

test("a claim that may lapse is a time to look again", async () => {
  await using t = await setup();
  await t.ask();
  await t.store.claim(1, 5_000, {});
  const inMs = await t.store.nextDueInMs();
  expect(inMs).toBeGreaterThan(0);
  expect(inMs).toBeLessThanOrEqual(5_000);
});

test("the most urgent of many waiting runs are read off an index, not sorted", async () => {
  await using t = await setup();
  const insert = (n: number, state: string) =>
    sql`
    INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, priority, deadline_at,
                          state, finished_at)
    SELECT gen_random_uuid(), 'pdf', gen_random_uuid()::text, 'render-invoice', 1, '{}', n % 9, now(),
           ${state}, CASE WHEN ${state} = 'completed' THEN now() END
    FROM generate_series(1, ${n}) n`.execute(t.db.kysely);
  await insert(20_000, "completed");
  await insert(20_000, "waiting");
  await sql`ANALYZE job_runs`.execute(t.db.kysely);
  const { rows } = await sql`
    EXPLAIN SELECT id FROM job_runs r
    WHERE r.state = 'waiting' AND r.handed_at IS NULL AND r.held_for IS NULL
    ORDER BY r.priority, coalesce(r.due_at, r.created_at), r.id LIMIT 10`.execute(t.db.kysely);
  expect(JSON.stringify(rows)).toContain("job_runs_to_dispatch");
  expect(JSON.stringify(rows)).not.toContain("Sort");
});

const BULK = 1_000;

test("bulk work is claimed as there is room for it: four times what runs, and eight from the start", async () => {
  await using t = await setup();
  const asked = [];
  for (let n = 0; n < 60; n += 1) asked.push(await t.ask({ priority: BULK }));
  await t.ask({ priority: BULK, queue: "email" });

  const first = await t.claim();
  expect(first.filter(({ queue }) => queue === "pdf")).toHaveLength(8);
  expect(first.filter(({ queue }) => queue === "email")).toHaveLength(1);
  await t.store.handedOver(first);
  expect(await t.claim()).toEqual([]);

  const attempts = new Map<string, string>();
  for (const { id } of first.filter(({ queue }) => queue === "pdf").slice(0, 3))
    attempts.set(id, await t.begin(id));
  expect(await t.claim()).toHaveLength(4 * 3 - 8);
  expect((await t.runOf(asked[0]?.requestId ?? "")).state).toBe("started");
});

test("bulk work that waits for its next attempt takes no room", async () => {
  await using t = await setup();
  for (let n = 0; n < 20; n += 1) await t.ask({ priority: BULK });
  const first = await t.claim();
  await t.store.handedOver(first);
  const [id = ""] = first.map((run) => run.id);
  const attemptId = await t.begin(id);
  const nextAttemptAt = new Date(Date.now() + HOUR_MS);
  await t.store.ended([t.end(id, attemptId, { outcome: "retry", nextAttemptAt })]);
  expect(await t.claim()).toHaveLength(1);
});

test("bulk work whose turn has come is claimed beyond its room, and never before urgent work", async () => {
  await using t = await setup();
  for (let n = 0; n < 20; n += 1) await t.ask({ priority: BULK });
  await t.store.handedOver(await t.claim());
  const { runId } = await t.ask();
  const claimed = await t.claim(100, { pdf: 2 });
  expect(claimed.map(({ priority }) => priority)).toEqual([0, BULK, BULK]);
  expect(claimed[0]?.id).toBe(runId);
});

test("a wish that joins bulk work makes it urgent, also where the engine has it already", async () => {
  await using t = await setup();
  const waiting = await t.ask({ priority: BULK, slot: "a" });
  await t.store.handedOver(await t.claim());
  await t.ask({ slot: "a" });
  const raised = await t.claim();
  expect(raised).toMatchObject([{ id: waiting.runId, priority: 0, inEngine: true }]);
  await t.store.handedOver(raised);
  expect(await t.store.claim(10, 0, {})).toEqual([]);
});

test("bulk work that is due later is no time to look at again once it is due", async () => {
  await using t = await setup();
  await t.ask({ priority: BULK, dueAt: new Date(Date.now() - 1) });
  expect(await t.store.nextDueInMs()).toBeNull();
});
