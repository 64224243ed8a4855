import { sql } from "kysely";
import type { Database, Tx } from "../database.ts";
import { recordAction } from "../operator-actions.ts";
import { type Excess, isBeyond, type LetterPolicy, LOOK, lettersBeyond } from "./letters-beyond.ts";

export interface LettersKept {
  readonly discarded: number;
  readonly dropped: number;
  readonly droppedIncidents: number;
  readonly droppedReplays: number;
}

/** Who is named where nobody decided. */
const ACTOR = "retention";
const BATCH = 500;

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
  const isCrowded = await isBeyond(database.kysely, policy);
  for (const [step, count] of [
    ["dropped", dropSettled],
    ["discarded", discardOpen],
  ] as const) {
    while (isCrowded && !signal?.aborted) {
      const excess = await lettersBeyond(database.kysely, policy, step === "discarded");
      for (let from = 0; from < excess.length && !signal?.aborted; from += BATCH) {
        const batch = excess.slice(from, from + BATCH);
        kept[step] += await database.transaction((tx) => count(tx, policy, batch));
      }
      if (excess.length < LOOK) break;
    }
  }
  for (const [step, count] of [
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

const idsOf = (letters: readonly Excess[]) =>
  sql`ANY(${letters.map(({ runId }) => runId)}::uuid[])`;

async function dropSettled(tx: Tx, _: LetterPolicy, batch: readonly Excess[]): Promise<number> {
  const { numAffectedRows } = await sql`
    WITH chosen AS (
      SELECT run_id FROM dead_letters WHERE run_id = ${idsOf(batch)} AND state <> 'open'
      FOR UPDATE SKIP LOCKED
    )
    DELETE FROM dead_letters l USING chosen WHERE l.run_id = chosen.run_id`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

async function discardOpen(
  tx: Tx,
  policy: LetterPolicy,
  batch: readonly Excess[],
): Promise<number> {
  const { rows } = await sql<{ runId: string }>`
    SELECT run_id FROM dead_letters WHERE run_id = ${idsOf(batch)} AND state = 'open'
    FOR UPDATE SKIP LOCKED`.execute(tx);
  const open = new Set(rows.map(({ runId }) => runId));
  for (const { runId, companyId, subject, isTooOld } of batch) {
    if (!open.has(runId)) continue;
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
