import { sql } from "kysely";
import type { Database } from "../database.ts";

/** When the oldest run ended that is over for `afterMs`; `undefined` if none is. */
export async function oldestToMove(database: Database, afterMs: number): Promise<Date | undefined> {
  const { rows } = await sql<{ oldest: Date | null }>`
    SELECT min(finished_at) AS oldest FROM job_runs
    WHERE finished_at < now() - ${afterMs} * interval '1 millisecond'`.execute(database.kysely);
  return rows[0]?.oldest ?? undefined;
}

/**
 * Move up to `limit` runs that have been over for `afterMs`, oldest first, with their requests and attempts.
 *
 * Nobody works on a run that is over, so its lock is in nobody's way; a run that another replica is moving is
 * left to that one. A crash moves nothing.
 *
 * @returns how many
 */
export async function moveToHistory(
  database: Database,
  afterMs: number,
  limit: number,
): Promise<number> {
  return await database.transaction(async (tx) => {
    // Locked by a statement of its own: the next one then sees all that was written about them.
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM job_runs
      WHERE finished_at < now() - ${afterMs} * interval '1 millisecond'
      ORDER BY finished_at LIMIT ${limit}
      FOR UPDATE SKIP LOCKED`.execute(tx);
    if (rows.length === 0) return 0;
    const moved = sql`ANY(${rows.map(({ id }) => id)}::uuid[])`;
    await sql`
      WITH runs AS (
        DELETE FROM job_runs WHERE id = ${moved} RETURNING *
      ), requests AS (
        DELETE FROM job_requests WHERE run_id = ${moved} RETURNING *
      ), attempts AS (
        DELETE FROM job_attempts WHERE run_id = ${moved} RETURNING *
      ), kept_requests AS (
        INSERT INTO job_requests_history
        SELECT q.*, r.finished_at, r.queue, r.state, r.company_id, r.subject
        FROM requests q JOIN runs r ON r.id = q.run_id
      ), kept_attempts AS (
        INSERT INTO job_attempts_history
        SELECT a.*, r.finished_at FROM attempts a JOIN runs r ON r.id = a.run_id
      )
      INSERT INTO job_runs_history SELECT * FROM runs`.execute(tx);
    return rows.length;
  });
}
