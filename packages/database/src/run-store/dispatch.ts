import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { isPaused } from "./pauses.ts";
import type { ClaimedRun } from "./port.ts";
import { claimedRunColumns, oldestRequest } from "./run-columns.ts";

/** The most urgent of two waits first: its priority, then the moment it could have begun. */
const byUrgency = sql`r.priority, coalesce(r.due_at, r.created_at), r.id`;

const slotIsFree = sql`(r.slot IS NULL OR NOT EXISTS (
  SELECT 1 FROM job_runs o WHERE o.queue = r.queue AND o.slot = r.slot AND o.state = 'started'))`;

/** Waits for the engine, as far as the row itself says. */
const isReady = sql`r.state = 'waiting' AND r.handed_at IS NULL AND r.held_for IS NULL`;

export async function claim(db: Queryable, limit: number, leaseMs: number): Promise<ClaimedRun[]> {
  const { rows } = await sql<ClaimedRun>`
    WITH ready AS (
      SELECT r.id FROM job_runs r
      WHERE ${isReady}
        AND (r.due_at IS NULL OR r.due_at <= now())
        AND (r.claimed_until IS NULL OR r.claimed_until <= now())
        AND ${slotIsFree} AND NOT ${isPaused}
      ORDER BY ${byUrgency}
      LIMIT ${limit}
      FOR UPDATE SKIP LOCKED
    ), r AS (
      UPDATE job_runs r SET claimed_until = now() + ${leaseMs} * interval '1 millisecond'
      FROM ready WHERE r.id = ready.id
      RETURNING r.*
    )
    SELECT ${claimedRunColumns} FROM r ${oldestRequest} ORDER BY ${byUrgency}`.execute(db);
  return rows;
}

/** The engine has them. A run that a worker started meanwhile is left as it is. */
export async function handedOver(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    WITH handed AS (
      SELECT id FROM job_runs WHERE id = ANY(${[...runIds]}::uuid[]) AND handed_at IS NULL
      ORDER BY id FOR UPDATE
    )
    UPDATE job_runs r
    SET handed_at = now(), touched_at = now(), claimed_until = NULL,
        change_no = nextval('job_run_changes')
    FROM handed WHERE r.id = handed.id`.execute(db);
}

/** The engine did not take them: whoever looks next may try. */
export async function unclaim(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    WITH claimed AS (
      SELECT id FROM job_runs
      WHERE id = ANY(${[...runIds]}::uuid[]) AND handed_at IS NULL AND claimed_until IS NOT NULL
      ORDER BY id FOR UPDATE
    )
    UPDATE job_runs r SET claimed_until = NULL FROM claimed WHERE r.id = claimed.id`.execute(db);
}

/** Runs that are due by now and free count as 0; ones that wait for their slot do not count. */
export async function nextDueInMs(db: Queryable): Promise<number | null> {
  const { rows } = await sql<{ inMs: number | null }>`
    SELECT (extract(epoch FROM least(
      (SELECT r.due_at FROM job_runs r WHERE ${isReady} AND r.due_at > now()
       ORDER BY r.due_at LIMIT 1),
      -- Fell due since the last claim.
      (SELECT r.due_at FROM job_runs r WHERE ${isReady} AND r.due_at <= now() AND NOT ${isPaused}
         AND (r.claimed_until IS NULL OR r.claimed_until <= now()) AND ${slotIsFree} LIMIT 1),
      -- Claimed by a dispatcher that may have died with it.
      (SELECT min(r.claimed_until) FROM job_runs r WHERE ${isReady} AND r.claimed_until > now())
    ) - now()) * 1000)::float8 AS in_ms`.execute(db);
  const inMs = rows[0]?.inMs ?? null;
  return inMs === null ? null : Math.max(0, Math.ceil(inMs));
}
