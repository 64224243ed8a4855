import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { storableJson } from "../storable.ts";
import type { AttemptEnd, Progress } from "./port.ts";
import { DISPATCH_CHANNEL, makesRoom } from "./wake.ts";

/**
 * Record ended attempts and what they mean for their runs, in one statement.
 *
 * What is put off again for the same reason extends the entry of the time before: in an outage that is every minute of
 * it, for each run, and nobody would read more than since when, until when and the latest words.
 *
 * Repeatable: an attempt counts once, however often it is reported; only a guess that it was lost is
 * overwritten. A terminal outcome ends its run whoever reports it, since the engine was told first; any
 * other changes the run only if no newer attempt has begun.
 */
export async function ended(db: Queryable, attempts: readonly AttemptEnd[]): Promise<void> {
  const latest = new Map(attempts.map((end) => [end.attemptId, end]));
  if (latest.size === 0) return;
  const reports = [...latest.values()].map((end) => ({
    attempt_id: end.attemptId,
    run_id: end.runId,
    outcome: end.outcome,
    started_at: end.startedAt,
    ended_at: end.endedAt,
    worker: end.worker,
    result: end.result ?? null,
    code: end.code,
    message: end.message,
    stack: end.stack,
    next_attempt_at: end.nextAttemptAt,
  }));
  await sql`
    WITH reported AS (
      SELECT * FROM jsonb_to_recordset(${storableJson(reports)}::jsonb)
        AS e(attempt_id uuid, run_id uuid, outcome text, started_at timestamptz,
             ended_at timestamptz, worker text, result jsonb, code text, message text, stack text,
             next_attempt_at timestamptz)
    ), locked AS MATERIALIZED (
      -- Filtered by the state itself, PostgreSQL expects hardly any here where most runs are over, and then
      -- compares each with each.
      SELECT id, running_attempt_id, cancel_requested_at, state IN ('waiting', 'started') AS is_open
      FROM job_runs
      WHERE id IN (SELECT run_id FROM reported) ORDER BY id FOR UPDATE
    ), put_off_again AS MATERIALIZED (
      -- Told by what runs, not by times, which are of several clocks: a report made twice extends nothing.
      SELECT DISTINCT ON (last.id) last.id AS entry_id, e.*,
             l.running_attempt_id IS NOT DISTINCT FROM e.attempt_id AS is_current
      FROM reported e JOIN locked l ON l.id = e.run_id, LATERAL (
        SELECT a.id, a.outcome, a.code FROM job_attempts a
        WHERE a.run_id = e.run_id ORDER BY a.started_at DESC LIMIT 1) last
      WHERE e.outcome = 'postpone' AND last.outcome = 'postpone' AND last.code = e.code
        AND NOT EXISTS (SELECT FROM job_attempts a WHERE a.id = e.attempt_id)
      ORDER BY last.id, is_current DESC
    ), extended AS (
      UPDATE job_attempts a SET
        ended_at = greatest(a.ended_at, p.ended_at), message = p.message, stack = p.stack,
        next_attempt_at = p.next_attempt_at, worker = p.worker
      FROM put_off_again p WHERE a.id = p.entry_id AND p.is_current
      RETURNING p.attempt_id AS id
    ), noted AS (
      INSERT INTO job_attempts (id, run_id, started_at, ended_at, outcome, code, message, stack,
                                next_attempt_at, worker)
      SELECT e.attempt_id, e.run_id, e.started_at, e.ended_at, e.outcome, e.code, e.message, e.stack,
             e.next_attempt_at, e.worker
      FROM reported e JOIN locked l ON l.id = e.run_id
      WHERE e.attempt_id NOT IN (SELECT attempt_id FROM put_off_again)
      ON CONFLICT (id) DO UPDATE SET
        started_at = excluded.started_at, ended_at = excluded.ended_at,
        outcome = excluded.outcome, code = excluded.code, message = excluded.message,
        stack = excluded.stack, next_attempt_at = excluded.next_attempt_at, worker = excluded.worker
      WHERE job_attempts.outcome = 'lost'
      RETURNING id
    ), news AS (
      SELECT e.*, e.outcome IN ('completed', 'dead', 'cancelled') AS is_final,
             e.attempt_id = l.running_attempt_id AS is_current
      FROM reported e JOIN (TABLE noted UNION ALL TABLE extended) n ON n.id = e.attempt_id
      JOIN locked l ON l.id = e.run_id
      WHERE l.is_open
    ), spent AS (
      SELECT run_id, count(*) FILTER (WHERE outcome IN ('retry', 'dead')) AS attempts
      FROM news GROUP BY run_id
    ), deciding AS (
      SELECT DISTINCT ON (n.run_id) n.*, CASE
        WHEN n.is_final THEN n.outcome
        -- Cancelled while it ran: what would be tried again is not.
        WHEN l.cancel_requested_at IS NOT NULL THEN 'cancelled' END AS ends_as
      FROM news n JOIN locked l ON l.id = n.run_id
      WHERE n.is_final OR n.is_current
      ORDER BY n.run_id, n.is_final DESC, n.ended_at DESC
    ), updated AS (
      UPDATE job_runs r SET
        attempts_made = r.attempts_made + s.attempts,
        state = coalesce(d.ends_as, r.state),
        finished_at = CASE WHEN d.ends_as IS NOT NULL THEN d.ended_at END,
        result = CASE WHEN d.outcome = 'completed' THEN d.result ELSE r.result END,
        error_code = CASE WHEN d.outcome = 'dead' THEN d.code ELSE r.error_code END,
        error_message = CASE WHEN d.outcome = 'dead' THEN d.message ELSE r.error_message END,
        running_attempt_id = CASE WHEN d.run_id IS NULL THEN r.running_attempt_id END,
        running_since = CASE WHEN d.run_id IS NULL THEN r.running_since END,
        running_on = CASE WHEN d.run_id IS NULL THEN r.running_on END,
        running_alone = r.running_alone AND d.run_id IS NULL,
        -- It ended like any other, and its process did not.
        suspect_since = CASE WHEN coalesce(d.outcome, 'interrupted') = 'interrupted' THEN r.suspect_since END,
        crashes_alone = CASE WHEN coalesce(d.outcome, 'interrupted') = 'interrupted' THEN r.crashes_alone ELSE 0 END,
        next_attempt_at = CASE WHEN d.run_id IS NULL THEN r.next_attempt_at
                               WHEN d.ends_as IS NULL THEN d.next_attempt_at END,
        wait_code = CASE
          WHEN d.run_id IS NULL THEN r.wait_code
          WHEN d.ends_as IS NULL THEN CASE d.outcome
            WHEN 'retry' THEN 'backoff'
            WHEN 'postpone' THEN coalesce(d.code, 'postponed')
            ELSE 'handed_back' END END,
        wait_message = CASE WHEN d.run_id IS NULL THEN r.wait_message
                            WHEN d.ends_as IS NULL THEN d.message END,
        touched_at = now(),
        change_no = nextval('job_run_changes')
      FROM spent s LEFT JOIN deciding d ON d.run_id = s.run_id
      WHERE r.id = s.run_id
      RETURNING ${makesRoom} AND r.finished_at IS NOT NULL AS makes_room
    )
    SELECT pg_notify(${DISPATCH_CHANNEL}, '') WHERE EXISTS (SELECT 1 FROM updated WHERE makes_room)`.execute(
    db,
  );
}

/** Store what handlers last said of their progress; nothing for a run that is over. */
export async function progressed(db: Queryable, updates: readonly Progress[]): Promise<void> {
  const latest = new Map(updates.map(({ runId, progress }) => [runId, progress ?? null]));
  if (latest.size === 0) return;
  const rows = [...latest].map(([run_id, progress]) => ({ run_id, progress }));
  await sql`
    WITH said AS (
      SELECT * FROM jsonb_to_recordset(${storableJson(rows)}::jsonb) AS p(run_id uuid, progress jsonb)
    ), locked AS MATERIALIZED (
      SELECT id FROM job_runs WHERE id IN (SELECT run_id FROM said) AND state = 'started'
      ORDER BY id FOR UPDATE
    )
    UPDATE job_runs r
    SET progress = said.progress, touched_at = now(), change_no = nextval('job_run_changes')
    FROM said JOIN locked ON locked.id = said.run_id
    WHERE r.id = said.run_id`.execute(db);
}

/** Those among these runs that were cancelled, or are to be. */
export async function cancelled(db: Queryable, runIds: readonly string[]): Promise<string[]> {
  if (runIds.length === 0) return [];
  const rows = await db
    .selectFrom("jobRuns")
    .select("id")
    .where("id", "in", [...runIds])
    .where((eb) =>
      eb.or([
        eb("state", "=", "cancelled"),
        eb.and([eb("cancelRequestedAt", "is not", null), eb("finishedAt", "is", null)]),
      ]),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Mark runs as alive; nobody sees that, so their change number stays. One that is locked is left until the next time:
 * whoever waited for it would leave all others unmarked, and they would be taken for lost.
 */
export async function touch(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    WITH locked AS MATERIALIZED (
      SELECT id FROM job_runs
      WHERE id = ANY(${[...runIds]}::uuid[]) AND state IN ('waiting', 'started')
      ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE job_runs r SET touched_at = now() FROM locked WHERE r.id = locked.id`.execute(db);
}
