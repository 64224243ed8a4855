import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { storableJson } from "../storable.ts";
import type { Crash } from "./port.ts";
import { DISPATCH_CHANNEL } from "./wake.ts";

/** The one that runs alone is to blame; it is given more chances than one, since machines fail too. */
export const MAX_CRASHES_ALONE = 3;
export const CRASHED = "crashed_process";
export const CRASHED_ALONE = `its process ended ${MAX_CRASHES_ALONE} times while nothing else ran in it; its attempts hold what was seen each time`;

/**
 * Mark the runs whose process ends under them, with what ended it as the story of their attempt.
 *
 * The mark is for runs that are not over. An attempt that said how it ended keeps its words: what it left
 * behind threw later.
 */
export async function crashed(db: Queryable, crashes: readonly Crash[]): Promise<void> {
  if (crashes.length === 0) return;
  const reports = crashes.map((crash) => ({
    attempt_id: crash.attemptId,
    run_id: crash.runId,
    started_at: crash.startedAt,
    crashed_at: crash.crashedAt,
    worker: crash.worker,
    message: crash.message,
    stack: crash.stack,
  }));
  await sql`
    WITH reported AS (
      SELECT * FROM jsonb_to_recordset(${storableJson(reports)}::jsonb)
        AS c(attempt_id uuid, run_id uuid, started_at timestamptz, crashed_at timestamptz,
             worker text, message text, stack text)
    ), locked AS MATERIALIZED (
      SELECT id, running_attempt_id, running_alone, crashes_alone FROM job_runs
      WHERE id IN (SELECT run_id FROM reported) AND state IN ('waiting', 'started')
      ORDER BY id FOR UPDATE
    ), judged AS MATERIALIZED (
      SELECT c.*, l.running_attempt_id IS NOT DISTINCT FROM c.attempt_id AS is_current,
             l.crashes_alone + CASE WHEN l.running_alone AND l.running_attempt_id = c.attempt_id
                                    THEN 1 ELSE 0 END AS crash_count
      FROM reported c JOIN locked l ON l.id = c.run_id
    ), noted AS (
      INSERT INTO job_attempts (id, run_id, started_at, ended_at, outcome, code, message, stack, worker)
      SELECT attempt_id, run_id, started_at, crashed_at,
             CASE WHEN crash_count >= ${MAX_CRASHES_ALONE} THEN 'dead' ELSE 'lost' END,
             ${CRASHED}::text, message, stack, worker
      FROM judged
      ON CONFLICT (id) DO UPDATE SET
        outcome = excluded.outcome, code = excluded.code, message = excluded.message,
        stack = excluded.stack
      WHERE job_attempts.outcome = 'lost'
    ), marked AS (
      UPDATE job_runs r SET
        suspect_since = coalesce(r.suspect_since, j.crashed_at), crashes_alone = j.crash_count,
        state = CASE WHEN j.crash_count >= ${MAX_CRASHES_ALONE} THEN 'dead' ELSE r.state END,
        finished_at = CASE WHEN j.crash_count >= ${MAX_CRASHES_ALONE} THEN j.crashed_at END,
        error_code = CASE WHEN j.crash_count >= ${MAX_CRASHES_ALONE} THEN ${CRASHED} END,
        error_message = CASE WHEN j.crash_count >= ${MAX_CRASHES_ALONE}
                             THEN ${`${CRASHED_ALONE}; the last: `} || j.message END,
        running_attempt_id = CASE WHEN NOT j.is_current THEN r.running_attempt_id END,
        running_since = CASE WHEN NOT j.is_current THEN r.running_since END,
        running_on = CASE WHEN NOT j.is_current THEN r.running_on END,
        running_alone = r.running_alone AND NOT j.is_current,
        wait_code = CASE WHEN j.crash_count < ${MAX_CRASHES_ALONE} THEN 'quarantined' END,
        wait_message = CASE WHEN j.crash_count < ${MAX_CRASHES_ALONE} THEN j.message END,
        touched_at = now(), change_no = nextval('job_run_changes')
      FROM judged j WHERE r.id = j.run_id
      RETURNING r.finished_at IS NOT NULL AS is_over
    )
    SELECT pg_notify(${DISPATCH_CHANNEL}, '') WHERE EXISTS (SELECT 1 FROM marked WHERE is_over)`.execute(
    db,
  );
}
