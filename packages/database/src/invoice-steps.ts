import { sql } from "kysely";
import { type Company, companyFacts, companyOf } from "./companies.ts";
import { customerFacts } from "./customers.ts";
import type { Tx } from "./database.ts";
import {
  InvoiceNotFoundError,
  InvoiceStateError,
  type InvoiceStep,
  InvoiceWithoutLinesError,
  STEP_FROM,
} from "./invoice-errors.ts";
import { type Invoice, invoiceOf } from "./invoices.ts";
import { dayIn } from "./reminders/reminder-time.ts";
import type { CompanyScope } from "./scope.ts";

/**
 * Give a draft its number and freeze what its document shows.
 *
 * Numbers have no gaps: the company's row is locked until the caller's transaction ends, so a
 * rollback gives the number back and the next one waits for it.
 *
 * @throws {InvoiceNotFoundError} {@link InvoiceStateError} {@link InvoiceWithoutLinesError}
 */
export async function issueInvoice(tx: Tx, scope: CompanyScope, id: string): Promise<Invoice> {
  const draft = await lockFor(tx, scope, id, "issue");
  const line = await tx
    .selectFrom("invoiceLines")
    .select("position")
    .where("invoiceId", "=", id)
    .limit(1)
    .executeTakeFirst();
  if (line === undefined) throw new InvoiceWithoutLinesError(id);

  const { company, now } = await takeNumber(tx, draft.companyId);
  const customer = await tx
    .selectFrom("customers")
    .selectAll()
    .where("id", "=", draft.customerId)
    .executeTakeFirstOrThrow();

  const row = await tx
    .updateTable("invoices")
    .set({
      state: "issued",
      revision: 1,
      number: invoiceNumber(company.numberPrefix, company.nextInvoiceNumber),
      issueDate: draft.issueDate ?? dayIn(company.timeZone, now),
      issuedSnapshot: JSON.stringify({
        company: companyFacts(company),
        customer: customerFacts(customer),
      }),
      issuedAt: sql<Date>`now()`,
      updatedAt: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return invoiceOf(row);
}

/** @throws {InvoiceNotFoundError} {@link InvoiceStateError} unless it is issued */
export const payInvoice = (tx: Tx, scope: CompanyScope, id: string): Promise<Invoice> =>
  step(tx, scope, id, "pay", { state: "paid", paidAt: sql<Date>`now()` });

/**
 * Take an issued invoice back; its number stays taken.
 *
 * @throws {InvoiceNotFoundError} {@link InvoiceStateError} unless it is issued
 */
export const voidInvoice = (tx: Tx, scope: CompanyScope, id: string): Promise<Invoice> =>
  step(tx, scope, id, "void", { state: "void", voidedAt: sql<Date>`now()` });

/**
 * Give an issued invoice another due date. Its document keeps the one it was issued with.
 *
 * @param dueDate `YYYY-MM-DD`
 * @throws {InvoiceNotFoundError} {@link InvoiceStateError} unless it is issued
 */
export async function moveDueDate(
  tx: Tx,
  scope: CompanyScope,
  id: string,
  dueDate: string,
): Promise<Invoice> {
  await lockFor(tx, scope, id, "move");
  const row = await tx
    .updateTable("invoices")
    .set({ dueDate, updatedAt: sql<Date>`now()` })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return invoiceOf(row);
}

/** Prefix and six digits, more once a company has issued a million. */
export const invoiceNumber = (prefix: string, count: number): string =>
  `${prefix}${count.toString().padStart(6, "0")}`;

/** The company with the number just taken in `nextInvoiceNumber`, and the transaction's time. */
async function takeNumber(tx: Tx, companyId: string): Promise<{ company: Company; now: Date }> {
  const { now, ...row } = await tx
    .updateTable("companies")
    .set((eb) => ({ nextInvoiceNumber: eb("nextInvoiceNumber", "+", 1) }))
    .where("id", "=", companyId)
    .returningAll()
    .returning(sql<Date>`now()`.as("now"))
    .executeTakeFirstOrThrow();
  const company = { ...companyOf(row), nextInvoiceNumber: row.nextInvoiceNumber - 1 };
  return { company, now };
}

async function lockFor(tx: Tx, scope: CompanyScope, id: string, wanted: InvoiceStep) {
  const row = await tx
    .selectFrom("invoices")
    .selectAll()
    .where("id", "=", id)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new InvoiceNotFoundError(id);
  if (row.state !== STEP_FROM[wanted]) throw new InvoiceStateError(id, row.state, wanted);
  return row;
}

async function step(
  tx: Tx,
  scope: CompanyScope,
  id: string,
  wanted: InvoiceStep,
  change: { state: "paid" | "void" } & Record<string, unknown>,
): Promise<Invoice> {
  await lockFor(tx, scope, id, wanted);
  const row = await tx
    .updateTable("invoices")
    .set({ ...change, updatedAt: sql<Date>`now()` })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return invoiceOf(row);
}
