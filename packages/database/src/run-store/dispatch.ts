import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { bulkFrom, isDueOfPriority, isReady, priorities, since } from "./due.ts";
import { isPaused } from "./pauses.ts";
import type { ClaimedRun, Handed } from "./port.ts";
import { claimedRunColumns, oldestRequest } from "./run-columns.ts";

/** The most urgent of two waits first: its priority, then the moment it could have begun. */
const byUrgency = sql`r.priority, ${since}, r.id`;

const slotIsFree = sql`(r.slot IS NULL OR NOT EXISTS (
  SELECT 1 FROM job_runs o WHERE o.queue = r.queue AND o.slot = r.slot AND o.state = 'started'))`;

/** Of a queue's bulk work the engine holds four times what runs now, and from the start this much. */
const BULK_ROOM = { perRunning: 4, least: 8 };

/** Nothing around the row holds it back. */
const isDueAndFree = sql`(r.due_at IS NULL OR r.due_at <= now()) AND ${slotIsFree} AND NOT ${isPaused}`;

/** What is wished for and not held may be handed over as soon as it is recorded. */
export const isUrgentAndFree = sql`r.priority < ${bulkFrom} AND ${isDueAndFree}`;

const isUnclaimed = sql`(r.claimed_until IS NULL OR r.claimed_until <= now())`;

/** May be handed over now. */
const isFree = sql`${isUnclaimed} AND ${isDueAndFree}`;

const isBulkRow = sql`${isReady} AND r.priority >= ${bulkFrom}`;

/**
 * Claim what is urgent, what bulk work there is room for, and what the engine has and became more urgent
 * since.
 *
 * @param owed bulk runs of a queue that are due by its urgent ones, whatever room there is
 */
export async function claim(
  db: Queryable,
  limit: number,
  leaseMs: number,
  owed: Readonly<Record<string, number>>,
): Promise<ClaimedRun[]> {
  const { rows } = await sql<ClaimedRun>`
    WITH RECURSIVE ${priorities}, urgent AS (
      SELECT next.id FROM priorities p CROSS JOIN LATERAL (
        SELECT r.id FROM job_runs r
        WHERE ${isDueOfPriority} AND ${isFree}
        ORDER BY ${byUrgency}
        LIMIT ${limit}
        FOR UPDATE SKIP LOCKED) next
      LIMIT ${limit}
    ), queues AS (
      (SELECT r.queue FROM job_runs r WHERE ${isBulkRow} ORDER BY r.queue LIMIT 1)
      UNION ALL
      SELECT (SELECT r.queue FROM job_runs r
              WHERE ${isBulkRow} AND r.queue > q.queue ORDER BY r.queue LIMIT 1)
      FROM queues q WHERE q.queue IS NOT NULL
    ), room AS (
      SELECT q.queue, inside.bulk_count, coalesce((${JSON.stringify(owed)}::jsonb ->> q.queue)::int, 0) AS owed,
             greatest(${BULK_ROOM.least}::int, ${BULK_ROOM.perRunning} * inside.running_count) AS room
      FROM queues q CROSS JOIN LATERAL (
        -- One that waits for its next attempt takes no room: it may do so for a day.
        SELECT count(*) FILTER (WHERE r.next_attempt_at IS NULL OR r.next_attempt_at <= now())::int AS bulk_count,
               count(r.running_attempt_id)::int AS running_count
        FROM job_runs r
        WHERE r.queue = q.queue AND r.priority >= ${bulkFrom} AND r.handed_at IS NOT NULL
          AND r.state IN ('waiting', 'started')) inside
      WHERE q.queue IS NOT NULL
    ), bulk AS (
      SELECT next.id FROM room CROSS JOIN LATERAL (
        SELECT r.id FROM job_runs r
        WHERE ${isBulkRow} AND ${isFree} AND r.queue = room.queue
        ORDER BY ${byUrgency}
        LIMIT least(${limit}, greatest(0, room.room - room.bulk_count) + room.owed)
        FOR UPDATE SKIP LOCKED) next
    ), raised AS (
      SELECT r.id FROM job_runs r
      WHERE r.state = 'waiting' AND r.handed_at IS NOT NULL AND r.priority < r.engine_priority
        AND ${isUnclaimed}
      LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    ), r AS (
      UPDATE job_runs r SET claimed_until = now() + ${leaseMs} * interval '1 millisecond'
      FROM (SELECT id FROM urgent UNION ALL SELECT id FROM bulk UNION ALL SELECT id FROM raised) chosen
      WHERE r.id = chosen.id
      RETURNING r.*
    )
    SELECT ${claimedRunColumns}, r.handed_at IS NOT NULL AS in_engine
    FROM r ${oldestRequest} ORDER BY ${byUrgency}`.execute(db);
  return rows;
}

/** The engine has them, each with this priority. A run that a worker started meanwhile is left as it is. */
export async function handedOver(db: Queryable, runs: readonly Handed[]): Promise<void> {
  if (runs.length === 0) return;
  await sql`
    WITH told AS (
      SELECT r.id, told.priority
      FROM unnest(${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ priority }) => priority)}::int[])
        AS told(id, priority) JOIN job_runs r ON r.id = told.id
      WHERE r.handed_at IS NULL OR r.engine_priority > told.priority
      ORDER BY r.id FOR UPDATE OF r
    )
    UPDATE job_runs r
    SET handed_at = coalesce(r.handed_at, now()), touched_at = now(), claimed_until = NULL,
        engine_priority = told.priority, change_no = nextval('job_run_changes')
    FROM told WHERE r.id = told.id`.execute(db);
}

/** The engine did not take them: whoever looks next may try. */
export async function unclaim(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    WITH claimed AS (
      SELECT id FROM job_runs
      WHERE id = ANY(${[...runIds]}::uuid[]) AND claimed_until IS NOT NULL
      ORDER BY id FOR UPDATE
    )
    UPDATE job_runs r SET claimed_until = NULL FROM claimed WHERE r.id = claimed.id`.execute(db);
}

/** The engine did not take them after all: whoever looks next may try. One that a worker started is left as it is. */
export async function takeBack(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    WITH taken AS (
      SELECT id FROM job_runs
      WHERE id = ANY(${[...runIds]}::uuid[]) AND state = 'waiting' AND handed_at IS NOT NULL
      ORDER BY id FOR UPDATE
    )
    UPDATE job_runs r
    SET handed_at = NULL, touched_at = NULL, engine_priority = NULL, change_no = nextval('job_run_changes')
    FROM taken WHERE r.id = taken.id`.execute(db);
}

/** Runs that are due by now and free count as 0; ones that wait for their slot do not count. */
export async function nextDueInMs(db: Queryable): Promise<number | null> {
  const { rows } = await sql<{ inMs: number | null }>`
    SELECT (extract(epoch FROM least(
      (SELECT r.due_at FROM job_runs r WHERE ${isReady} AND r.due_at > now()
       ORDER BY r.due_at LIMIT 1),
      -- Fell due since the last claim.
      (SELECT r.due_at FROM job_runs r WHERE ${isReady} AND r.due_at <= now() AND NOT ${isPaused}
         -- Bulk work waits for room, of which a run's end tells.
         AND r.priority < ${bulkFrom} AND ${isUnclaimed} AND ${slotIsFree} LIMIT 1),
      -- Claimed by a dispatcher that may have died with it.
      (SELECT min(r.claimed_until) FROM job_runs r WHERE ${isReady} AND r.claimed_until > now())
    ) - now()) * 1000)::float8 AS in_ms`.execute(db);
  const inMs = rows[0]?.inMs ?? null;
  return inMs === null ? null : Math.max(0, Math.ceil(inMs));
}
