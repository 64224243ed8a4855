import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { openDatabase, openRunStore } from "../../src/index.ts";
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

  const reads = async () => {
    await sql`SELECT pg_stat_force_next_flush()`.execute(db.kysely);
    const { rows } = await sql<{ read: string; written: string }>`
      SELECT seq_tup_read AS read, n_tup_upd AS written FROM pg_stat_user_tables
      WHERE relname = 'job_runs'`.execute(db.kysely);
    return rows[0];
  };
  const seen = await reads();
  expect(Number(seen?.written)).toBeGreaterThan(50);
  expect(Number(seen?.read)).toBe(0);
});
