import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { storableJson, storableText } from "../storable.ts";
import type { CopiedEnd, SilentRun } from "./port.ts";
import { claimedRunColumns, oldestRequest } from "./run-columns.ts";
import { makesRoom, notifyDispatchers } from "./wake.ts";

/** Runs handed over and untouched for `silentMs`, oldest first. */
export async function silent(db: Queryable, silentMs: number, limit: number): Promise<SilentRun[]> {
  const { rows } = await sql<SilentRun>`
    SELECT ${claimedRunColumns}, r.touched_at, r.running_attempt_id IS NOT NULL AS running,
      extract(epoch FROM now() - r.touched_at)::float8 * 1000 AS silent_ms,
      -- Those that are added again are the ones it lost.
      false AS in_engine
    FROM job_runs r ${oldestRequest}
    WHERE r.state IN ('waiting', 'started') AND r.handed_at IS NOT NULL
      AND r.touched_at < now() - ${silentMs} * interval '1 millisecond'
    ORDER BY r.touched_at
    LIMIT ${limit}`.execute(db);
  return rows;
}

/** Take silent runs for re-adding; the ids of those that nobody touched since their `touchedAt`. */
export async function reclaim(
  db: Queryable,
  runs: readonly Pick<SilentRun, "id" | "touchedAt">[],
): Promise<string[]> {
  if (runs.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    WITH claimed AS (
      SELECT r.id FROM job_runs r
      JOIN unnest(${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ touchedAt }) => touchedAt)}::timestamptz[])
        AS silent (id, touched_at) ON silent.id = r.id
      WHERE r.state IN ('waiting', 'started')
        -- A Date holds milliseconds, the column microseconds.
        AND date_trunc('milliseconds', r.touched_at) = silent.touched_at
      ORDER BY r.id FOR UPDATE OF r
    )
    UPDATE job_runs r SET touched_at = now() FROM claimed WHERE r.id = claimed.id
    RETURNING r.id`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * Record the end of a run that the engine knows and we do not; nothing for a run that is over.
 *
 * An attempt that was still noted as running becomes `lost`: what it would have said is not known.
 */
export async function copyEnd(db: Queryable, end: CopiedEnd): Promise<void> {
  const isDead = end.state === "dead";
  const { rows } = await sql<{ makesRoom: boolean }>`
    WITH locked AS MATERIALIZED (
      SELECT * FROM job_runs
      WHERE id = ${end.runId} AND state IN ('waiting', 'started') FOR UPDATE
    ), lost AS (
      INSERT INTO job_attempts (id, run_id, started_at, ended_at, outcome, code, message, worker)
      SELECT running_attempt_id, id, running_since, ${end.endedAt}, 'lost', 'worker_lost',
             'the worker stopped without a word', running_on
      FROM locked WHERE running_attempt_id IS NOT NULL
      ON CONFLICT (id) DO NOTHING
    )
    UPDATE job_runs r SET
      state = ${end.state}, finished_at = ${end.endedAt}, touched_at = now(),
      result = CASE WHEN ${end.state === "completed"} THEN ${storableJson(end.result)}::jsonb END,
      error_code = CASE WHEN ${isDead} THEN coalesce(${end.code}::text, 'ended_in_engine') END,
      error_message = CASE WHEN ${isDead} THEN ${storableText(end.message)} END,
      running_attempt_id = NULL, running_since = NULL, running_on = NULL,
      next_attempt_at = NULL, wait_code = NULL, wait_message = NULL,
      change_no = nextval('job_run_changes')
    FROM locked WHERE r.id = locked.id
    RETURNING ${makesRoom} AS makes_room`.execute(db);
  if (rows[0]?.makesRoom) await notifyDispatchers(db);
}

/** End waiting runs whose deadline passed, held ones too; returns how many. */
export async function expire(db: Queryable, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    WITH late AS (
      SELECT id FROM job_runs WHERE state = 'waiting' AND deadline_at <= now()
      ORDER BY deadline_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE job_runs r SET
      state = 'dead', finished_at = now(), claimed_until = NULL, error_code = 'deadline_exceeded',
      error_message = 'its deadline passed before it could start' ||
        CASE WHEN held_for IS NULL THEN '' ELSE ', while it was held for ' || held_for END,
      change_no = nextval('job_run_changes')
    FROM late WHERE r.id = late.id`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

export async function readMark(db: Queryable, name: string): Promise<string | null> {
  const mark = await db
    .selectFrom("marks")
    .select("value")
    .where("name", "=", name)
    .executeTakeFirst();
  return mark?.value ?? null;
}

export async function writeMark(db: Queryable, name: string, value: string): Promise<void> {
  await db
    .insertInto("marks")
    .values({ name, value })
    .onConflict((oc) => oc.column("name").doUpdateSet({ value, writtenAt: sql`now()` }))
    .execute();
}
