import { sql } from "kysely";
import type { Queryable } from "../database.ts";

export interface LetterPolicy {
  /** Days after its death that a letter is kept. */
  readonly keepDays: number;
  /** Payloads, messages and stacks of all letters together. */
  readonly keepBytes: number;
}

/** A letter that is to go. */
export interface Excess {
  readonly runId: string;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly queue: string;
  readonly isTooOld: boolean;
}

/** Found by one look, which orders all letters. */
export const LOOK = 10_000;

/** Nearly always not, and told by an index alone: to order all letters takes seconds for a million of them. */
export async function isBeyond(
  db: Queryable,
  { keepDays, keepBytes }: LetterPolicy,
): Promise<boolean> {
  const { rows } = await sql<{ isBeyond: boolean }>`
    SELECT sum(size_bytes) > ${keepBytes} OR EXISTS (
      SELECT FROM dead_letters WHERE died_at < now() - ${keepDays} * interval '1 day') AS is_beyond
    FROM dead_letters`.execute(db);
  return rows[0]?.isBeyond ?? false;
}

/**
 * Letters beyond the policy, the oldest first. What is kept is filled up with open letters first, and among those with
 * the newest of each company: one whose letters are many and large takes the room that is left, not that of others.
 */
export async function lettersBeyond(
  db: Queryable,
  { keepDays, keepBytes }: LetterPolicy,
  isOpen: boolean,
): Promise<readonly Excess[]> {
  const { rows } = await sql<Excess>`
    SELECT run_id, company_id, subject, queue,
           died_at < now() - ${keepDays} * interval '1 day' AS is_too_old
    FROM (
      SELECT *, sum(size_bytes) OVER (
        ORDER BY state = 'open' DESC, of_its_company, died_at DESC, run_id DESC) AS filled
      FROM (
        SELECT run_id, company_id, subject, queue, state, engine_cleared_at, died_at, size_bytes,
               sum(size_bytes) OVER (PARTITION BY company_id, state = 'open'
                                     ORDER BY died_at DESC, run_id DESC) AS of_its_company
        FROM dead_letters
      ) l
    ) l
    WHERE (filled > ${keepBytes} OR died_at < now() - ${keepDays} * interval '1 day')
      AND CASE WHEN ${isOpen} THEN state = 'open' ELSE state <> 'open' AND engine_cleared_at IS NOT NULL END
    ORDER BY died_at LIMIT ${LOOK}`.execute(db);
  return rows;
}
