import { sql } from "kysely";
import type { CustomerFacts } from "../customers.ts";
import type { Tx } from "../database.ts";
import { ERASED, type Theirs } from "./theirs.ts";

/**
 * Empty the customer's row, which stays for the invoices that name it; take the mail address, which no invoice
 * shows, out of what was frozen with each.
 *
 * @returns how many drafts were deleted
 */
export async function eraseFacts(
  tx: Tx,
  { invoiceIds }: Theirs,
  customer: CustomerFacts,
): Promise<number> {
  await sql`
    UPDATE invoices SET issued_snapshot = jsonb_set(issued_snapshot, '{customer,email}', 'null')
    WHERE id = ANY (${invoiceIds}::uuid[]) AND issued_snapshot IS NOT NULL`.execute(tx);
  const { numDeletedRows } = await tx
    .deleteFrom("invoices")
    .where("customerId", "=", customer.id)
    .where("state", "=", "draft")
    .executeTakeFirst();
  const address = {
    lines: [ERASED],
    postalCode: ERASED,
    city: ERASED,
    countryCode: customer.address.countryCode, // decides no more than formats
  };
  await tx
    .updateTable("customers")
    .set({
      name: ERASED,
      address: JSON.stringify(address),
      email: null,
      taxId: null,
      updatedAt: sql<Date>`now()`,
    })
    .where("id", "=", customer.id)
    .execute();
  return Number(numDeletedRows);
}
