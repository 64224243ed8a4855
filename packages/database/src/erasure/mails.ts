import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { ERASED, type Theirs } from "./theirs.ts";

/**
 * Take the recipient out of the ledger of mails, which still says that there was a mail, when, and what became
 * of it; and out of what else is kept by address.
 *
 * @returns how many mails that were
 */
export async function eraseMails(
  tx: Tx,
  { companyId, invoiceIds, addresses }: Theirs,
  customerId: string,
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    UPDATE email_deliveries SET
      recipient = ${ERASED} || id, -- one mail of an ordinal for each recipient
      response = CASE WHEN response IS NOT NULL THEN ${ERASED} END,
      error_message = CASE WHEN error_message IS NOT NULL THEN ${ERASED} END,
      reason = CASE WHEN reason IS NOT NULL THEN ${ERASED} END,
      state = CASE WHEN state = 'planned' THEN 'suppressed' WHEN state = 'sending' THEN 'unknown'
        ELSE state END,
      lease_until = NULL
    WHERE invoice_id = ANY (${invoiceIds}::uuid[]) AND recipient LIKE '%@%'`.execute(tx);
  // One that another customer has as well still bounces.
  await sql`
    DELETE FROM suppressions s WHERE company_id = ${companyId} AND address = ANY (${addresses})
      AND NOT EXISTS (SELECT FROM customers c WHERE c.company_id = s.company_id
        AND c.id <> ${customerId} AND lower(c.email) = s.address)`.execute(tx);
  // Answers that are kept for callers who ask again show the invoice, or its mail.
  await sql`
    DELETE FROM idempotency_keys WHERE state = 'done' AND (
      split_part(path, '/', 4) = ANY (${invoiceIds})
      OR EXISTS (SELECT FROM unnest(${addresses}::text[]) a WHERE strpos(lower(body), a) > 0))`.execute(
    tx,
  );
  return Number(numAffectedRows);
}
