import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { measureOutbox, openDatabase, openRunStore, type Queryable } from "../../src/index.ts";
import { aRun, LEASE_MS, setup } from "./setup.ts";

const LIVE_RUNS = 2_000;

test("no statement of the store reads all runs, however few they seem", async () => {
  await using t = await setup();
  // Each connection counts what it read for itself.
  await using db = await openDatabase(t.url, { applicationName: "test", poolMax: 1 });
  const store = openRunStore(db);
  const wish = () => ({ run: aRun(), request: { requestedBy: null, traceparent: null } });
  const wishes = Array.from({ length: LIVE_RUNS }, wish);
  const { asked } = await t.store.commitAll(wishes, true);
  const [one = "", other = ""] = asked.map(({ runId }) => runId);

  // Often enough for a plan that is kept.
  for (let n = 0; n < 10; n++) {
    const { asked: fresh, taken } = await store.commitAll([wish(), wish()], true);
    await store.takeBack(taken.slice(0, 1).map(({ id }) => id));
    await store.handedOver(await store.claim(100, LEASE_MS, {}));
    const attempts = fresh.map(({ runId }) => ({ runId, attemptId: randomUUID() }));
    await store.start(attempts.map(({ runId, ...start }) => t.aStart(runId, start)));
    await store.progressed(attempts.map(({ runId }) => ({ runId, progress: n })));
    await store.cancelled(attempts.map(({ runId }) => runId));
    await store.touch([one, other]);
    await store.ended(attempts.map(({ runId, attemptId }) => t.end(runId, attemptId)));
    await store.reclaim(await store.silent(60_000, 10));
    await store.judgeFailed("pdf", [one]);
    await store.expire(10);
    await store.nextDueInMs();
  }

  const seen = await statistics(db.kysely);
  expect(seen.written).toBeGreaterThan(50);
  expect(seen.readInOrder).toBe(0);
});

test("what is due weeks from now is no part of any look", async () => {
  await using t = await setup();
  await sql`
    INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, priority, deadline_at, due_at)
    SELECT gen_random_uuid(), 'email', 'later-' || n, 'payment-reminder', 1, '{}', n % 3, now() + interval '9 weeks',
           now() + interval '1 day' + n * interval '1 minute'
    FROM generate_series(1, 20000) n`.execute(t.db.kysely);
  await sql`ANALYZE job_runs`.execute(t.db.kysely);
  const urgent = await t.ask({ priority: 1 });
  await using db = await openDatabase(t.url, { applicationName: "test", poolMax: 1 });
  const store = openRunStore(db);
  const read = async () => {
    const { readByIndex, readInOrder } = await statistics(db.kysely);
    return readByIndex + readInOrder;
  };
  const before = await read();

  expect(await store.claim(100, LEASE_MS, {})).toMatchObject([{ id: urgent.runId }]);
  await store.nextDueInMs();
  expect(await measureOutbox(db.kysely, 10_000)).toMatchObject({ pending: 1, paused: 0 });

  expect((await read()) - before).toBeLessThan(100);
});

/** Rows of job_runs, as this connection counts them for itself. */
async function statistics(db: Queryable) {
  await sql`SELECT pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ inOrder: string; byIndex: string; written: string }>`
    SELECT seq_tup_read AS in_order, idx_tup_fetch AS by_index, n_tup_upd AS written
    FROM pg_stat_user_tables WHERE relname = 'job_runs'`.execute(db);
  const { inOrder, byIndex, written } = rows[0] ?? { inOrder: 0, byIndex: 0, written: 0 };
  return {
    readInOrder: Number(inOrder),
    readByIndex: Number(byIndex),
    written: Number(written),
  };
}
