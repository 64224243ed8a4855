import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { RunState } from "../run-store/port.ts";
import type { LetterState } from "../schema.ts";

/** A death that this one follows: its letter was replayed, and that replay died. */
export interface Ancestor {
  readonly letterId: string;
  readonly generation: number;
  readonly diedAt: Date;
  readonly state: LetterState;
}

/** A run that was to make this death good. */
export interface Descendant {
  readonly runId: string;
  readonly requestId: string | null;
  /** `null` once its history was dropped. */
  readonly state: RunState | null;
  readonly generation: number | null;
  /** Its own letter, if it died as well. */
  readonly letterId: string | null;
}

export interface LetterLineage {
  /** The first death first. More than one of a generation, where replays joined one run. */
  readonly ancestors: readonly Ancestor[];
  /** The first replay first. */
  readonly descendants: readonly Descendant[];
}

/** Nobody replays one thing this often; it ends a search that would not end by itself. */
const MAX_DEPTH = 100;

/** The chain of replays that a letter is a part of, both ways. */
export async function lineageOf(db: Queryable, letterId: string): Promise<LetterLineage> {
  const ancestors = await sql<Ancestor>`
    WITH RECURSIVE up AS (
      SELECT run_id, 1 AS depth FROM dead_letters WHERE replay_run_id = ${letterId}
      UNION
      SELECT l.run_id, up.depth + 1 FROM dead_letters l JOIN up ON l.replay_run_id = up.run_id
      WHERE up.depth < ${MAX_DEPTH}
    )
    SELECT l.run_id AS letter_id, l.generation, l.died_at, l.state
    FROM dead_letters l WHERE l.run_id IN (SELECT run_id FROM up)
    ORDER BY l.died_at, l.run_id`.execute(db);
  const descendants = await sql<Descendant>`
    WITH RECURSIVE down AS (
      SELECT replay_run_id, replay_request_id, 1 AS depth FROM dead_letters
      WHERE run_id = ${letterId} AND replay_run_id IS NOT NULL
      UNION
      SELECT l.replay_run_id, l.replay_request_id, down.depth + 1
      FROM dead_letters l JOIN down ON l.run_id = down.replay_run_id
      WHERE l.replay_run_id IS NOT NULL AND down.depth < ${MAX_DEPTH}
    )
    SELECT d.replay_run_id AS run_id, d.replay_request_id AS request_id, l.run_id AS letter_id,
           coalesce(l.generation, r.generation) AS generation,
           CASE WHEN l.run_id IS NOT NULL THEN 'dead' ELSE r.state END AS state
    FROM down d
    LEFT JOIN dead_letters l ON l.run_id = d.replay_run_id
    LEFT JOIN LATERAL (
      SELECT state, generation FROM all_job_runs WHERE id = d.replay_run_id LIMIT 1
    ) r ON true
    ORDER BY d.depth`.execute(db);
  return { ancestors: ancestors.rows, descendants: descendants.rows };
}
