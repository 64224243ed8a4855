import { sql } from "kysely";
import type { Tx } from "../database.ts";
import type { CompanyScope } from "../scope.ts";

/** What belongs to a customer who is erased. */
export interface Theirs {
  readonly companyId: string;
  /** Whose rows the caller may change: rows of no company are for those alone who may change all. */
  readonly scope: CompanyScope;
  readonly invoiceIds: readonly string[];
  /** What jobs about their invoices are filed under. */
  readonly subjects: readonly string[];
  /** All that mail for them went to, in small letters. */
  readonly addresses: readonly string[];
}

/** Stands where something was, so that a reader sees that it was taken away and not lost. */
export const ERASED = "[erased]";

export async function addressesOf(
  tx: Tx,
  invoiceIds: readonly string[],
  email: string | null,
): Promise<string[]> {
  const { rows } = await sql<{ address: string }>`
    SELECT DISTINCT lower(address) AS address FROM (
      SELECT recipient AS address FROM email_deliveries WHERE invoice_id = ANY (${invoiceIds}::uuid[])
      UNION ALL SELECT issued_snapshot #>> '{customer,email}' FROM invoices
      WHERE id = ANY (${invoiceIds}::uuid[])
      UNION ALL SELECT ${email}::text) a
    WHERE address LIKE '%@%'`.execute(tx);
  return rows.map(({ address }) => address);
}
