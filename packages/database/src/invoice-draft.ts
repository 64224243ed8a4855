import { sql } from "kysely";
import { currencyExponent } from "./currency.ts";
import type { Tx } from "./database.ts";
import { formatDecimal, parseQuantity, parseTaxRate } from "./decimal.ts";
import { InvoiceNotDraftError } from "./invoice-errors.ts";
import { findInvoice, type InvoiceLine, type InvoiceWithLines } from "./invoices.ts";
import { invoiceTotals, lineNetMinor } from "./money.ts";

export type DraftLine = Omit<InvoiceLine, "position" | "netMinor">;

export interface Draft {
  readonly id: string;
  readonly companyId: string;
  /** A customer of this company. */
  readonly customerId: string;
  readonly currency: string;
  readonly locale: string;
  /** Absent: the day it is issued, in the company's time zone. */
  readonly issueDate?: string | null;
  readonly dueDate?: string | null;
  readonly paymentTerms?: string | null;
  readonly notes?: string | null;
  readonly lines: readonly DraftLine[];
}

/**
 * Create a draft, or replace it together with its lines. Repeatable.
 *
 * @throws {InvoiceNotDraftError} if it was issued, or the id is another company's invoice
 * @throws {UnknownCurrencyError} {@link InvalidDecimalError} {@link AmountTooLargeError}
 * @throws SQLSTATE 23503 if the customer is not one of this company
 */
export async function upsertDraft(tx: Tx, draft: Draft): Promise<InvoiceWithLines> {
  currencyExponent(draft.currency);
  const totals = invoiceTotals(draft.lines);
  const values = {
    id: draft.id,
    companyId: draft.companyId,
    customerId: draft.customerId,
    currency: draft.currency,
    locale: draft.locale,
    issueDate: draft.issueDate ?? null,
    dueDate: draft.dueDate ?? null,
    paymentTerms: draft.paymentTerms ?? null,
    notes: draft.notes ?? null,
    netMinor: totals.netMinor,
    taxMinor: totals.taxMinor,
    grossMinor: totals.grossMinor,
  };
  const written = await tx
    .insertInto("invoices")
    .values(values)
    .onConflict((oc) =>
      oc
        .column("id")
        .doUpdateSet({ ...values, updatedAt: sql`now()` })
        .where("invoices.state", "=", "draft")
        .where("invoices.companyId", "=", draft.companyId),
    )
    .returning("id")
    .executeTakeFirst();
  if (written === undefined) {
    const taken = await findInvoice(tx, draft.companyId, draft.id);
    throw new InvoiceNotDraftError(draft.id, taken?.state);
  }
  await replaceLines(tx, draft);
  const saved = await findInvoice(tx, draft.companyId, draft.id);
  if (saved === undefined) throw new Error(`invoice ${draft.id} vanished while it was written`);
  return saved;
}

/** As one JSON parameter: 10,000 lines would exceed the 65,535 parameters of a statement. */
async function replaceLines(tx: Tx, draft: Draft): Promise<void> {
  const rows = draft.lines.map((line, index) => ({
    position: index + 1,
    sku: line.sku,
    description: line.description,
    quantity: formatDecimal(parseQuantity(line.quantity)),
    unit: line.unit,
    unit_price_minor: line.unitPriceMinor.toString(),
    tax_rate: formatDecimal(parseTaxRate(line.taxRate)),
    net_minor: lineNetMinor(line).toString(),
  }));
  await tx.deleteFrom("invoiceLines").where("invoiceId", "=", draft.id).execute();
  await sql`
    INSERT INTO invoice_lines (invoice_id, company_id, position, sku, description, quantity, unit,
                               unit_price_minor, tax_rate, net_minor)
    SELECT ${draft.id}::uuid, ${draft.companyId}::uuid, l.*
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS l(position int, sku text, description text, quantity numeric, unit text,
           unit_price_minor bigint, tax_rate numeric, net_minor bigint)`.execute(tx);
}
