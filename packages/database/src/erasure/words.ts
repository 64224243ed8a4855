import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { ERASED, type Theirs } from "./theirs.ts";

/** Take away what was said of their invoices: errors quote servers, and servers quote addresses. */
export async function eraseWords(tx: Tx, { subjects, invoiceIds }: Theirs): Promise<void> {
  const erased = (column: string) =>
    sql`${sql.ref(column)} = CASE WHEN ${sql.ref(column)} IS NOT NULL THEN ${ERASED} END`;
  for (const suffix of ["", "_history"]) {
    const runs = sql.table(`job_runs${suffix}`);
    await sql`
      UPDATE ${sql.table(`job_attempts${suffix}`)} SET stack = NULL, ${erased("message")}
      WHERE run_id IN (SELECT id FROM ${runs} WHERE subject = ANY (${subjects}))`.execute(tx);
    await sql`
      UPDATE ${runs} SET progress = NULL, ${erased("error_message")}, ${erased("wait_message")},
        result = CASE WHEN jsonb_typeof(result) = 'object' AND result ? 'response'
          THEN result || jsonb_build_object('response', ${ERASED}::text) ELSE result END
      WHERE subject = ANY (${subjects})`.execute(tx);
  }
  await sql`
    UPDATE dead_letters SET stack = NULL, ${erased("message")}
    WHERE subject = ANY (${subjects})`.execute(tx);
  await sql`
    UPDATE invoice_run_items SET ${erased("error_message")}
    WHERE invoice_id = ANY (${invoiceIds}::uuid[]) AND error_message IS NOT NULL`.execute(tx);
  await sql`
    UPDATE operator_actions SET before = before - 'error'
    WHERE subject = ANY (${subjects}) AND jsonb_typeof(before) = 'object'`.execute(tx);
}
