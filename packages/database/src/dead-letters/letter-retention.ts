import { sql } from "kysely";
import type { Database, Tx } from "../database.ts";
import { recordAction } from "../operator-actions.ts";

export interface LetterPolicy {
  /** Days after its death that a letter is kept. */
  readonly keepDays: number;
  /** Payloads, messages and stacks of all letters together. */
  readonly keepBytes: number;
}

export interface LettersKept {
  readonly discarded: number;
  readonly dropped: number;
  readonly droppedIncidents: number;
  readonly droppedReplays: number;
}

/** Who is named where nobody decided. */
const ACTOR = "retention";
const BATCH = 500;

interface Excess {
  readonly runId: string;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly queue: string;
  readonly isTooOld: boolean;
}

/**
 * Drop letters that are too old or take too much room: settled ones first, those of the company that has most of them, the
 * oldest first. Open ones beyond that are discarded, each with its entry in the audit; they are dropped once their
 * job has left the engine, since a letter is what tells that a failed job was dealt with. Bulk replays are kept as
 * long as letters.
 *
 * Any number of processes may, at once and again.
 */
export async function keepLetters(
  database: Database,
  policy: LetterPolicy,
  signal?: AbortSignal,
): Promise<LettersKept> {
  const kept = { discarded: 0, dropped: 0, droppedIncidents: 0, droppedReplays: 0 };
  for (const [step, count] of [
    ["dropped", dropSettled],
    ["discarded", discardOpen],
    ["droppedIncidents", dropEmptyIncidents],
    ["droppedReplays", dropReplays],
  ] as const) {
    while (!signal?.aborted) {
      const done = await database.transaction((tx) => count(tx, policy));
      kept[step] += done;
      if (done < BATCH) break;
    }
  }
  return kept;
}

/**
 * Letters beyond the policy. What is kept is filled up with open letters first, and among those with the newest of each
 * company: one whose letters are many and large takes the room that is left, not that of others.
 */
const beyond = ({ keepDays, keepBytes }: LetterPolicy) => sql`
  SELECT *, died_at < now() - ${keepDays} * interval '1 day' AS is_too_old
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
  WHERE filled > ${keepBytes} OR died_at < now() - ${keepDays} * interval '1 day'`;

async function dropSettled(tx: Tx, policy: LetterPolicy): Promise<number> {
  const { numAffectedRows } = await sql`
    WITH excess AS (${beyond(policy)}), chosen AS (
      SELECT l.run_id FROM dead_letters l JOIN excess e USING (run_id)
      WHERE l.state <> 'open' AND l.engine_cleared_at IS NOT NULL
      ORDER BY l.died_at LIMIT ${BATCH} FOR UPDATE OF l SKIP LOCKED
    )
    DELETE FROM dead_letters l USING chosen WHERE l.run_id = chosen.run_id`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

async function discardOpen(tx: Tx, policy: LetterPolicy): Promise<number> {
  const { rows } = await sql<Excess>`
    SELECT e.run_id, e.company_id, e.subject, e.queue, e.is_too_old
    FROM dead_letters l JOIN (${beyond(policy)}) e USING (run_id)
    WHERE l.state = 'open'
    ORDER BY l.died_at LIMIT ${BATCH} FOR UPDATE OF l SKIP LOCKED`.execute(tx);
  for (const { runId, companyId, subject, isTooOld } of rows) {
    const reason = isTooOld
      ? `older than the ${policy.keepDays} days that letters are kept`
      : `letters took more than the ${policy.keepBytes} bytes they may`;
    await tx
      .updateTable("deadLetters")
      .set({
        state: "discarded",
        settledAt: sql<Date>`now()`,
        settledBy: ACTOR,
        settledReason: reason,
      })
      .where("runId", "=", runId)
      .execute();
    await recordAction(tx, {
      actor: ACTOR,
      action: "discard-letter",
      targetKind: "letter",
      targetId: runId,
      companyId,
      subject,
      reason,
      before: { state: "open" },
      after: { state: "discarded" },
    });
  }
  return rows.length;
}

/** Resolved ones of which nothing is left; all others are as few as there are causes. */
async function dropEmptyIncidents(tx: Tx, { keepDays }: LetterPolicy): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM incidents i
    WHERE state = 'resolved' AND resolved_told_at IS NOT DISTINCT FROM resolved_at
      AND greatest(last_seen_at, resolved_at) < now() - ${keepDays} * interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.incident_id = i.id)
    ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`.execute(tx);
  if (rows.length === 0) return 0;
  const ids = sql`ANY(${rows.map(({ id }) => id)}::uuid[])`;
  await sql`DELETE FROM alerts WHERE incident_id = ${ids}`.execute(tx);
  await sql`DELETE FROM incidents WHERE id = ${ids}`.execute(tx);
  return rows.length;
}

/** Few at a time: each may have 50,000 letters, and people begin them. The rest goes with the next call. */
const REPLAYS = 10;

async function dropReplays(tx: Tx, { keepDays }: LetterPolicy): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM replays WHERE id IN (
      SELECT id FROM replays WHERE finished_at < now() - ${keepDays} * interval '1 day'
      ORDER BY finished_at LIMIT ${REPLAYS} FOR UPDATE SKIP LOCKED)`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}
