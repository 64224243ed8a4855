import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import { isDueOfPriority, priorities, since } from "./run-store/due.ts";
import { isPaused } from "./run-store/pauses.ts";

/** What is committed, due, and not yet in the queue engine. */
export interface Outbox {
  /** Counted up to `limit`. */
  readonly pending: number;
  /** How long the oldest of them has been able to begin, in seconds; 0 if there is none. */
  readonly oldestAgeSeconds: number;
  /** Runs that paused queues hold back, counted up to `limit`; nobody is late with them. */
  readonly paused: number;
}

const isPending = sql`${isDueOfPriority} AND NOT ${isPaused}
  AND (r.slot IS NULL OR NOT EXISTS (
    SELECT 1 FROM job_runs o
    WHERE o.queue = r.queue AND o.slot = r.slot AND o.state = 'started'))`;

/**
 * Measure the outbox. Runs that wait for their slot, are held or due later do not count, nor does bulk work:
 * nobody is late with them. Those of a paused queue are counted apart.
 *
 * @param limit counting ends here, so that a huge backlog costs no more than a large one
 */
export async function measureOutbox(db: Queryable, limit: number): Promise<Outbox> {
  // The oldest may be the least urgent, far beyond what is counted: so it is asked of each priority.
  const { rows } = await sql<Outbox>`
    WITH RECURSIVE ${priorities}, oldest AS (
      SELECT min(first.since) AS since FROM priorities p CROSS JOIN LATERAL (
        SELECT ${since} AS since FROM job_runs r WHERE ${isPending} ORDER BY ${since} LIMIT 1) first
    ), counted AS (
      SELECT FROM priorities p CROSS JOIN LATERAL (
        SELECT FROM job_runs r WHERE ${isPending} ORDER BY ${since} LIMIT ${limit}) one
      LIMIT ${limit}
    ), held AS (
      SELECT FROM priorities p CROSS JOIN LATERAL (
        SELECT FROM job_runs r JOIN queue_states s ON s.queue = r.queue AND s.paused
        WHERE ${isDueOfPriority} LIMIT ${limit}) one
      LIMIT ${limit}
    )
    SELECT (SELECT count(*) FROM counted)::int AS pending,
           coalesce(extract(epoch FROM now() - (SELECT since FROM oldest)), 0)::float8
             AS oldest_age_seconds,
           (SELECT count(*) FROM held)::int AS paused`.execute(db);
  return rows[0] ?? { pending: 0, oldestAgeSeconds: 0, paused: 0 };
}
