import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { recordAction } from "../operator-actions.ts";

export interface CorrectedListings {
  readonly accountId: string;
  readonly skus: readonly string[];
  /** Who corrected them, as the journal names callers. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Close the open letters of listings that are told again, or listed no more: nothing is left to replay. Each is
 * written down as a decision. @returns how many
 */
export async function closeCorrectedLetters(
  tx: Tx,
  { accountId, skus, by, reason }: CorrectedListings,
): Promise<number> {
  const { rows } = await sql<{ runId: string; companyId: string | null; subject: string }>`
    UPDATE dead_letters SET state = 'discarded', settled_at = now(), settled_by = ${by},
      settled_reason = ${reason}
    WHERE run_id IN (
      SELECT run_id FROM dead_letters
      WHERE subject = ${`marketplace-account:${accountId}`} AND job = 'push-listing' AND state = 'open'
        AND payload->>'sku' = ANY(${skus}::text[])
      ORDER BY run_id FOR UPDATE SKIP LOCKED)
    RETURNING run_id, company_id, subject`.execute(tx);
  for (const { runId, companyId, subject } of rows)
    await recordAction(tx, {
      actor: by,
      action: "discard-letter",
      targetKind: "letter",
      targetId: runId,
      companyId,
      subject,
      reason,
      before: { state: "open" },
      after: { state: "discarded" },
    });
  return rows.length;
}
