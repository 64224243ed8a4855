import { type Selectable, sql } from "kysely";
import type { CompanyFacts } from "./companies.ts";
import type { CustomerFacts } from "./customers.ts";
import type { Queryable } from "./database.ts";
import { invoiceTotals, type TaxGroup } from "./money.ts";
import type { InvoiceState, Schema } from "./schema.ts";
import type { CompanyScope } from "./scope.ts";

export interface Invoice {
  readonly id: string;
  readonly companyId: string;
  readonly customerId: string;
  readonly state: InvoiceState;
  /** `null` while it is a draft. */
  readonly number: string | null;
  /** 0 while it is a draft, from 1 once issued. */
  readonly revision: number;
  readonly currency: string;
  readonly locale: string;
  /** `YYYY-MM-DD` in the company's time zone. */
  readonly issueDate: string | null;
  readonly dueDate: string | null;
  readonly paymentTerms: string | null;
  readonly notes: string | null;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly grossMinor: bigint;
  readonly issuedAt: Date | null;
  readonly paidAt: Date | null;
  readonly voidedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface InvoiceLine {
  /** From 1, without gaps. */
  readonly position: number;
  readonly sku: string | null;
  readonly description: string;
  /** Exact decimal without trailing zeros. */
  readonly quantity: string;
  readonly unit: string;
  readonly unitPriceMinor: bigint;
  /** Percent, exact decimal without trailing zeros. */
  readonly taxRate: string;
  readonly netMinor: bigint;
}

export interface InvoiceWithLines extends Invoice {
  readonly lines: readonly InvoiceLine[];
  readonly taxGroups: readonly TaxGroup[];
}

/** An issued invoice with company and customer as they were when it was issued. */
export interface IssuedInvoice extends InvoiceWithLines {
  readonly number: string;
  readonly company: CompanyFacts;
  readonly customer: CustomerFacts;
}

/** The invoice alone: what most decisions need. */
export async function findInvoiceHead(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Invoice | undefined> {
  const [head] = await findInvoiceHeads(db, [id]);
  return scope === "all" || head?.companyId === scope ? head : undefined;
}

/** Those of them that are there, of whichever company, in no order. */
export async function findInvoiceHeads(db: Queryable, ids: readonly string[]): Promise<Invoice[]> {
  // One text for any number of them, so that it is planned once.
  return await db
    .selectFrom("invoices")
    .select(INVOICE_HEAD)
    .where(sql<boolean>`id = ANY(${[...ids]}::uuid[])`)
    .execute();
}

/** All but the snapshot, which is kilobytes of company and customer. */
const INVOICE_HEAD = [
  "id",
  "companyId",
  "customerId",
  "state",
  "number",
  "revision",
  "currency",
  "locale",
  "issueDate",
  "dueDate",
  "paymentTerms",
  "notes",
  "netMinor",
  "taxMinor",
  "grossMinor",
  "issuedAt",
  "paidAt",
  "voidedAt",
  "createdAt",
  "updatedAt",
] as const;

export async function findInvoice(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<InvoiceWithLines | undefined> {
  const row = await rowOf(db, scope, id);
  return row && { ...invoiceOf(row), ...(await linesOf(db, id)) };
}

/**
 * The invoice as its document shows it. A paid or void one is still found: its document stays what it was.
 *
 * @returns `undefined` if there is none, or it is still a draft
 */
export async function findInvoiceForRendering(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<IssuedInvoice | undefined> {
  const row = await rowOf(db, scope, id);
  if (!row || row.number === null || row.issuedSnapshot === null) return undefined;
  const { company, customer } = row.issuedSnapshot;
  return { ...invoiceOf(row), number: row.number, company, customer, ...(await linesOf(db, id)) };
}

export interface InvoiceFilter {
  readonly state?: InvoiceState;
  readonly customerId?: string;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Newest first, without lines. `nextCursor` is `null` on the last page. */
export async function listInvoices(
  db: Queryable,
  scope: CompanyScope,
  { state, customerId, limit = 50, cursor }: InvoiceFilter = {},
): Promise<{ invoices: Invoice[]; nextCursor: string | null }> {
  let query = db.selectFrom("invoices").selectAll();
  if (scope !== "all") query = query.where("companyId", "=", scope);
  if (state !== undefined) query = query.where("state", "=", state);
  if (customerId !== undefined) query = query.where("customerId", "=", customerId);
  // The page goes on after the row the cursor names, wherever that row stands now. Another company's row
  // is as if it were not there: a page that began at it would tell when it was made.
  if (cursor !== undefined) {
    const visible = scope === "all" ? sql`true` : sql`c.company_id = ${scope}`;
    query = query.where(
      sql<boolean>`(created_at, id) < (SELECT c.created_at, c.id FROM invoices c WHERE c.id = ${cursor} AND ${visible})`,
    );
  }
  const rows = await query
    .orderBy("createdAt", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const invoices = rows.slice(0, limit).map(invoiceOf);
  return { invoices, nextCursor: rows.length > limit ? (invoices.at(-1)?.id ?? null) : null };
}

export function invoiceOf(row: Selectable<Schema["invoices"]>): Invoice {
  const { issuedSnapshot: _, ...invoice } = row;
  return invoice;
}

async function rowOf(db: Queryable, scope: CompanyScope, id: string) {
  return await db
    .selectFrom("invoices")
    .selectAll()
    .where("id", "=", id)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .executeTakeFirst();
}

async function linesOf(db: Queryable, invoiceId: string) {
  const lines: InvoiceLine[] = await db
    .selectFrom("invoiceLines")
    .select(["position", "sku", "description", "unit", "unitPriceMinor", "netMinor"])
    .select([
      sql<string>`trim_scale(quantity)::text`.as("quantity"),
      sql<string>`trim_scale(tax_rate)::text`.as("taxRate"),
    ])
    .where("invoiceId", "=", invoiceId)
    .orderBy("position")
    .execute();
  return { lines, taxGroups: invoiceTotals(lines).groups };
}
