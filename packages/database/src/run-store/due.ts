import { BULK_PRIORITY } from "@ballast/contracts";
import { sql } from "kysely";

export const bulkFrom = sql.lit(BULK_PRIORITY);

/** The moment from which a run could begin. */
export const since = sql`coalesce(r.due_at, r.created_at)`;

/** Waits for the engine, as far as the row itself says. */
export const isReady = sql`r.state = 'waiting' AND r.handed_at IS NULL AND r.held_for IS NULL`;

const isUrgent = sql`${isReady} AND r.priority < ${bulkFrom}`;

/**
 * `priorities`, for WITH RECURSIVE: those that urgent work has which is ready, the most urgent first.
 *
 * Weeks of reminders wait among what is due. Within one priority the index has what is due later at its end, so a look
 * at each by itself reads none of it.
 */
export const priorities = sql`priorities AS (
  (SELECT r.priority FROM job_runs r WHERE ${isUrgent} ORDER BY r.priority LIMIT 1)
  UNION ALL
  SELECT (SELECT r.priority FROM job_runs r
          WHERE ${isUrgent} AND r.priority > p.priority ORDER BY r.priority LIMIT 1)
  FROM priorities p WHERE p.priority IS NOT NULL
)`;

/** Ready, of priority `p`, and due; in the order and within the bounds that the index to dispatch by has. */
export const isDueOfPriority = sql`${isUrgent} AND r.priority = p.priority AND ${since} <= now()`;
