import { type Selectable, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { InvoiceRunState, Schema } from "../schema.ts";
import type { CompanyScope } from "../scope.ts";
import { storableJson } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";

/** An order to render or mail many invoices, and where it stands. */
export type InvoiceRun = Readonly<Selectable<Schema["invoiceRuns"]>>;

/** Which issued invoices of a company; void ones never. */
export interface InvoiceRunFilter {
  readonly state?: "issued" | "paid";
  readonly customerId?: string;
  /** `YYYY-MM-DD`, both inclusive. */
  readonly issuedFrom?: string;
  readonly issuedTo?: string;
}

export interface NewInvoiceRun {
  readonly companyId: string;
  readonly action: "render" | "send";
  readonly requestedBy: string;
  readonly traceparent: string | null;
}

/** An invoice that cannot be part of a run. */
export interface UnfitInvoice {
  /** From 0, where it was named. */
  readonly index: number;
  readonly invoiceId: string;
  readonly why: "unknown" | "draft" | "void";
}

/** Those of `invoiceIds` that no run of the company can be about, at most `limit`. */
export async function unfitInvoices(
  db: Queryable,
  companyId: string,
  invoiceIds: readonly string[],
  limit: number,
): Promise<UnfitInvoice[]> {
  const { rows } = await sql<UnfitInvoice>`
    SELECT given.ord::int - 1 AS index, given.id AS invoice_id,
      CASE WHEN i.id IS NULL THEN 'unknown' ELSE i.state END AS why
    FROM unnest(${[...invoiceIds]}::uuid[]) WITH ORDINALITY AS given(id, ord)
    LEFT JOIN invoices i ON i.id = given.id AND i.company_id = ${companyId}
    WHERE i.id IS NULL OR i.state IN ('draft', 'void')
    ORDER BY given.ord LIMIT ${limit}`.execute(db);
  return rows;
}

/** The invoices a filter finds now, oldest first, at most `limit`. */
export async function invoicesToRun(
  db: Queryable,
  companyId: string,
  { state, customerId, issuedFrom, issuedTo }: InvoiceRunFilter,
  limit: number,
): Promise<string[]> {
  let query = db
    .selectFrom("invoices")
    .select("id")
    .where("companyId", "=", companyId)
    .where("state", "in", state === undefined ? ["issued", "paid"] : [state]);
  if (customerId !== undefined) query = query.where("customerId", "=", customerId);
  if (issuedFrom !== undefined) query = query.where("issueDate", ">=", issuedFrom);
  if (issuedTo !== undefined) query = query.where("issueDate", "<=", issuedTo);
  const rows = await query.orderBy("issuedAt").orderBy("id").limit(limit).execute();
  return rows.map(({ id }) => id);
}

/** Write a run down with the invoices it is about, in this order; one that is named twice counts once. */
export async function createInvoiceRun(
  tx: Tx,
  run: NewInvoiceRun,
  filter: InvoiceRunFilter | null,
  invoiceIds: readonly string[],
): Promise<InvoiceRun> {
  const id = uuidv7();
  const unique = [...new Set(invoiceIds)];
  const created = await tx
    .insertInto("invoiceRuns")
    .values({
      ...run,
      id,
      filter: filter === null ? null : storableJson(filter),
      invoiceCount: unique.length,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await sql`
    INSERT INTO invoice_run_items (invoice_run_id, invoice_id, company_id, position)
    SELECT ${id}, given.id, ${run.companyId}, given.ord
    FROM unnest(${unique}::uuid[]) WITH ORDINALITY AS given(id, ord)`.execute(tx);
  return created;
}

const inScope = (db: Queryable, scope: CompanyScope) =>
  db
    .selectFrom("invoiceRuns")
    .selectAll()
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope));

export const findInvoiceRun = (
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<InvoiceRun | undefined> => inScope(db, scope).where("id", "=", id).executeTakeFirst();

/** Locked until `tx` ends, so that neither its driver nor another caller comes between. */
export const lockInvoiceRun = (
  tx: Tx,
  scope: CompanyScope,
  id: string,
): Promise<InvoiceRun | undefined> =>
  inScope(tx, scope).where("id", "=", id).forUpdate().executeTakeFirst();

/** Newest first. */
export const listInvoiceRuns = (
  db: Queryable,
  scope: CompanyScope,
  limit = 50,
): Promise<InvoiceRun[]> =>
  inScope(db, scope).orderBy("createdAt", "desc").orderBy("id", "desc").limit(limit).execute();

/** Move a run on, if it is still in one of the states `from`. @returns whether it was */
export async function moveInvoiceRun(
  db: Queryable,
  id: string,
  from: readonly InvoiceRunState[],
  state: InvoiceRunState,
): Promise<boolean> {
  const isOver = state === "completed" || state === "cancelled";
  const { numUpdatedRows } = await db
    .updateTable("invoiceRuns")
    .set({
      state,
      finishedAt: isOver ? sql<Date>`now()` : null,
      ...(isOver ? { driver: null, drivenUntil: null } : {}),
    })
    .where("id", "=", id)
    .where("state", "in", [...from])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Forget runs that ended so long ago. @returns how many */
export async function forgetInvoiceRuns(db: Queryable, afterMonths: number): Promise<number> {
  const { rows } = await sql`
    DELETE FROM invoice_runs WHERE finished_at < now() - ${afterMonths} * interval '1 month'
    RETURNING id`.execute(db);
  return rows.length;
}
