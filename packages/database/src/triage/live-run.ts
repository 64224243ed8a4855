import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** A run that is not over, and the request that speaks for it. */
export interface LiveRun {
  readonly runId: string;
  readonly requestId: string | null;
  readonly state: "waiting" | "started";
}

/**
 * The run of this slot that would take in a replay of the dead run `replayOf`, as things stand: the one
 * that waits, else the one that is started and not being cancelled, unless it may have begun before what
 * died was wished.
 */
export const findLiveTwin = async (
  db: Queryable,
  queue: string,
  slot: string,
  replayOf: string,
): Promise<LiveRun | undefined> => {
  // Each half has an index of its own.
  const of = (state: "waiting" | "started") => sql`
    SELECT id, state FROM job_runs
    WHERE queue = ${queue} AND slot = ${slot} AND state = ${sql.lit(state)} AND cancel_requested_at IS NULL`;
  const { rows } = await sql<LiveRun>`
    SELECT r.id AS run_id, r.state, ${oldestRequestId}
    FROM (${of("waiting")} UNION ALL ${of("started")} AND EXISTS (
      SELECT 1 FROM all_job_runs d WHERE d.id = ${replayOf} AND d.started_at IS NOT NULL)) r
    ORDER BY r.state = 'started' LIMIT 1`.execute(db);
  return rows[0];
};

/** The same of one run, by its id; `undefined` if it is over. */
export const findLiveRun = async (db: Queryable, runId: string): Promise<LiveRun | undefined> => {
  const { rows } = await sql<LiveRun>`
    SELECT r.id AS run_id, r.state, ${oldestRequestId}
    FROM job_runs r WHERE r.id = ${runId} AND r.state IN ('waiting', 'started')`.execute(db);
  return rows[0];
};

const oldestRequestId = sql`
  (SELECT q.id FROM job_requests q WHERE q.run_id = r.id ORDER BY q.created_at, q.id LIMIT 1) AS request_id`;
