import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { FailedVerdict } from "../run-store/port.ts";
import { storableJson } from "../storable.ts";

/**
 * What the journal knows of jobs in the engine's failed set, by their journalled ids.
 *
 * Both places of a run are looked at, and the letters too: they may outlive the run's history.
 */
export async function judgeFailed(
  db: Queryable,
  queue: string,
  engineJobIds: readonly string[],
): Promise<FailedVerdict[]> {
  if (engineJobIds.length === 0) return [];
  const { rows } = await sql<FailedVerdict>`
    WITH asked AS (
      SELECT engine_job_id FROM jsonb_array_elements_text(${storableJson(engineJobIds)}::jsonb)
        AS a(engine_job_id)
    ), found AS (
      SELECT a.engine_job_id, r.id AS run_id, coalesce(r.state, h.state) AS state, l.state AS letter,
             coalesce(r.created_at, h.created_at, l.asked_at) AS created_at
      FROM asked a
      LEFT JOIN job_runs r ON r.queue = ${queue} AND r.engine_job_id = a.engine_job_id
      LEFT JOIN LATERAL (
        SELECT h.state, h.created_at FROM job_runs_history h
        WHERE r.id IS NULL AND h.queue = ${queue} AND h.engine_job_id = a.engine_job_id LIMIT 1
      ) h ON true
      LEFT JOIN LATERAL (
        -- One id may have died more than once, if its run was dropped meanwhile.
        SELECT l.state, l.asked_at FROM dead_letters l
        WHERE l.queue = ${queue} AND l.engine_job_id = a.engine_job_id
        ORDER BY l.state = 'open' DESC LIMIT 1
      ) l ON true
    )
    SELECT engine_job_id, run_id, created_at, CASE
      WHEN letter = 'open' THEN 'parked'
      WHEN state IN ('waiting', 'started') THEN 'unended'
      WHEN letter IS NOT NULL OR state IS NOT NULL THEN 'settled'
      ELSE 'unknown' END AS verdict
    FROM found`.execute(db);
  return rows;
}
