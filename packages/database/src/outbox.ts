import { sql } from "kysely";
import type { Queryable } from "./database.ts";

/** What is committed, due, and not yet in the queue engine. */
export interface Outbox {
  /** Counted up to `limit`. */
  readonly pending: number;
  /** How long the oldest of them has been able to begin, in seconds; 0 if there is none. */
  readonly oldestAgeSeconds: number;
}

/**
 * Measure the outbox. Runs that wait for their slot, are held or due later do not count: nobody is
 * late with them; nor do those of a paused queue.
 *
 * @param limit counting ends here, so that a huge backlog costs no more than a large one
 */
export async function measureOutbox(db: Queryable, limit: number): Promise<Outbox> {
  const { rows } = await sql<Outbox>`
    SELECT count(*)::int AS pending,
           coalesce(extract(epoch FROM now() - min(since)), 0)::float8 AS oldest_age_seconds
    FROM (
      SELECT coalesce(r.due_at, r.created_at) AS since FROM job_runs r
      WHERE r.state = 'waiting' AND r.handed_at IS NULL AND r.held_for IS NULL
        AND (r.due_at IS NULL OR r.due_at <= now())
        AND NOT EXISTS (SELECT 1 FROM queue_states s WHERE s.queue = r.queue AND s.paused)
        AND (r.slot IS NULL OR NOT EXISTS (
          SELECT 1 FROM job_runs o
          WHERE o.queue = r.queue AND o.slot = r.slot AND o.state = 'started'))
      ORDER BY r.priority, coalesce(r.due_at, r.created_at), r.id
      LIMIT ${limit}
    ) pending`.execute(db);
  return rows[0] ?? { pending: 0, oldestAgeSeconds: 0 };
}
