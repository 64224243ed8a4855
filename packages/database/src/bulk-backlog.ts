import { BULK_PRIORITY } from "@ballast/contracts";
import { sql } from "kysely";
import type { Queryable } from "./database.ts";

/** Bulk work of a queue that is due, and for which the queue engine had no room yet. */
export interface BulkBacklog {
  readonly queue: string;
  /** Counted up to `limit`. */
  readonly pending: number;
  /** How long the oldest of it has been able to begin, in seconds. */
  readonly oldestAgeSeconds: number;
}

/** As the index of bulk work has it. */
const isRow = sql`r.state = 'waiting' AND r.handed_at IS NULL AND r.held_for IS NULL
  AND r.priority >= ${sql.lit(BULK_PRIORITY)}`;
const since = sql`coalesce(r.due_at, r.created_at)`;

/**
 * Measure the bulk work of each queue that has any, also of paused ones. What waits for its slot does not count.
 *
 * @param limit of each queue and priority only so many are looked at, the oldest, so that a million cost no more
 */
export async function bulkBacklogs(db: Queryable, limit: number): Promise<BulkBacklog[]> {
  const { rows } = await sql<BulkBacklog>`
    WITH RECURSIVE levels AS (
      (SELECT r.queue, r.priority FROM job_runs r WHERE ${isRow} ORDER BY r.queue, r.priority LIMIT 1)
      UNION ALL
      SELECT next.queue, next.priority FROM levels l CROSS JOIN LATERAL (
        SELECT r.queue, r.priority FROM job_runs r
        WHERE ${isRow} AND (r.queue, r.priority) > (l.queue, l.priority)
        ORDER BY r.queue, r.priority LIMIT 1) next
    )
    SELECT l.queue, least(sum(due.pending), ${limit})::int AS pending,
           extract(epoch FROM now() - min(due.since))::float8 AS oldest_age_seconds
    FROM levels l CROSS JOIN LATERAL (
      SELECT count(*) AS pending, min(one.since) AS since FROM (
        SELECT r.queue, r.slot, ${since} AS since FROM job_runs r
        WHERE ${isRow} AND r.queue = l.queue AND r.priority = l.priority AND ${since} <= now()
        ORDER BY ${since} LIMIT ${limit}) one
      WHERE one.slot IS NULL OR NOT EXISTS (
        SELECT 1 FROM job_runs o
        WHERE o.queue = one.queue AND o.slot = one.slot AND o.state = 'started')) due
    GROUP BY l.queue HAVING sum(due.pending) > 0 ORDER BY l.queue`.execute(db);
  return rows;
}
