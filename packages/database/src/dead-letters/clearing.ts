import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** A settled letter whose failed job still stands in the engine. */
export interface LetterToClear {
  readonly runId: string;
  readonly queue: string;
  readonly engineJobId: string;
}

/** Those that were settled first, from `after` on. */
export async function lettersToClear(
  db: Queryable,
  queue: string,
  limit: number,
  after?: { readonly settledAt: Date; readonly runId: string },
): Promise<(LetterToClear & { readonly settledAt: Date })[]> {
  const { rows } = await sql<LetterToClear & { readonly settledAt: Date }>`
    SELECT run_id, queue, engine_job_id, settled_at FROM dead_letters
    WHERE queue = ${queue} AND state <> 'open' AND engine_cleared_at IS NULL
      AND ${
        after === undefined
          ? sql`true`
          : // A Date holds milliseconds, the column microseconds.
            sql`(date_trunc('milliseconds', settled_at), run_id) > (${after.settledAt}, ${after.runId}::uuid)`
      }
    ORDER BY date_trunc('milliseconds', settled_at), run_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Their jobs are out of the engine. */
export async function markCleared(db: Queryable, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await sql`
    UPDATE dead_letters SET engine_cleared_at = now()
    WHERE run_id = ANY(${[...runIds]}::uuid[]) AND engine_cleared_at IS NULL`.execute(db);
}
