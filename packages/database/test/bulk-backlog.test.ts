import { BULK_PRIORITY } from "@ballast/contracts";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { bulkBacklogs } from "../src/index.ts";
import { setup } from "./run-store/setup.ts";

const HOUR_MS = 3_600_000;
const from = (hours: number) => new Date(Date.now() + hours * HOUR_MS);
const bulk = { priority: BULK_PRIORITY };

test("bulk work is counted for each queue, with the age of its oldest; what is urgent, handed over or due later is not", async () => {
  await using t = await setup();
  await t.ask({ ...bulk, dueAt: from(-1) });
  await t.store.handedOver(await t.claim());
  await t.ask({ ...bulk, dueAt: from(-2) });
  await t.ask({ priority: BULK_PRIORITY + 5, dueAt: from(-3) });
  await t.ask({ ...bulk, dueAt: from(1) });
  await t.ask({ priority: 0, dueAt: from(-9) });
  await t.ask({ ...bulk, queue: "email", dueAt: from(1) });

  const [pdf, ...others] = await bulkBacklogs(t.db.kysely, 10);
  expect(others).toEqual([]);
  expect(pdf).toMatchObject({ queue: "pdf", pending: 2 });
  expect(Math.floor((pdf?.oldestAgeSeconds ?? 0) / 60)).toBe(3 * 60);
});

test("bulk work whose slot is taken waits for that, not for room", async () => {
  await using t = await setup();
  const { runId } = await t.ask({ slot: "invoice 1" });
  await t.begin(runId);
  await t.ask({ ...bulk, slot: "invoice 1", dueAt: from(-1) });
  expect(await bulkBacklogs(t.db.kysely, 10)).toEqual([]);
});

test("a huge backlog is counted up to the limit, and its measurement reads no more than that", async () => {
  await using t = await setup();
  await sql`
    INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, priority, deadline_at, due_at)
    SELECT gen_random_uuid(), 'pdf', gen_random_uuid()::text, 'render-invoice', 1, '{}', ${BULK_PRIORITY}::int,
           now(), CASE WHEN n % 2 = 0 THEN now() + interval '1 day' END
    FROM generate_series(1, 40000) n`.execute(t.db.kysely);
  await sql`ANALYZE job_runs`.execute(t.db.kysely);

  await t.db.transaction(async (tx) => {
    expect(await bulkBacklogs(tx, 100)).toMatchObject([{ queue: "pdf", pending: 100 }]);
    const { rows } = await sql<{ read: number }>`
      SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
      WHERE relname = 'job_runs'`.execute(tx);
    expect(rows[0]?.read).toBeGreaterThanOrEqual(100);
    expect(rows[0]?.read).toBeLessThan(150);
  });
});
