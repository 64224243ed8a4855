import {
  type CompanyScope,
  type Database,
  findCompany,
  findCustomer,
  findInvoice,
  findInvoiceHead,
  InvoiceNotDraftError,
  type InvoiceWithLines,
  listInvoices,
  type Queryable,
  type Tx,
  upsertDraft,
} from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import {
  InvoiceBody,
  InvoiceInput,
  InvoiceListBody,
  InvoiceState,
  invoiceBody,
  invoiceHeadBody,
} from "../schemas/invoice.ts";
import { given, paging } from "../schemas/paging.ts";
import { uuid } from "../schemas/text.ts";
import { draftExample } from "./examples.ts";
import { ownerOf } from "./owner.ts";

export const InvoiceParams = z.object({ invoiceId: uuid("The invoice") });

export interface InvoiceDeps {
  readonly database: Database;
  /** Largest invoice, in bytes: its lines need more room than other bodies. */
  readonly bodyLimitBytes: number;
}

/** Drafts are written here; what becomes of them later is the business of `invoice-steps.ts`. */
export const invoiceRoutes = ({ database, bodyLimitBytes }: InvoiceDeps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/invoices/{invoiceId}",
    operationId: "putInvoice",
    tag: "Invoices",
    scope: "write",
    summary: "Write a draft with its lines, or replace it",
    description:
      "Amounts are computed here and never sent: net per line and tax per rate are rounded commercially, and the total is their sum. Once issued, an invoice does not change.",
    params: InvoiceParams,
    query: z.object({}),
    body: InvoiceInput,
    example: draftExample,
    bodyLimitBytes,
    answers: {
      200: { description: "Replaced.", schema: InvoiceBody },
      201: { description: "Created.", schema: InvoiceBody },
    },
    problems: ["not-found", "invoice-not-draft"],
    async handle({ caller, params: { invoiceId }, body, tx }) {
      const before = await findInvoiceHead(tx, scopeOf(caller), invoiceId);
      const companyId = await ownerOf(tx, caller, body.companyId, before);
      const { currency, locale } = await defaultsOf(tx, companyId, body.customerId);
      const invoice = await upsertDraft(tx, {
        ...body,
        id: invoiceId,
        companyId,
        currency: body.currency ?? currency,
        locale: body.locale ?? locale,
        lines: body.lines.map((line) => ({ ...line, unitPriceMinor: BigInt(line.unitPriceMinor) })),
      }).catch((error: unknown) => {
        if (!(error instanceof InvoiceNotDraftError)) throw error;
        // No state to tell: the id is taken by a company this key does not reach.
        throw error.state === undefined
          ? notFound("invoice", invoiceId)
          : new Problem("invoice-not-draft", error.message);
      });
      return { status: before === undefined ? 201 : 200, body: invoiceBody(invoice) };
    },
  }),

  read({
    method: "get",
    path: "/v1/invoices/{invoiceId}",
    operationId: "getInvoice",
    tag: "Invoices",
    scope: "read",
    summary: "Read an invoice with its lines",
    params: InvoiceParams,
    query: z.object({}),
    answers: { 200: { description: "The invoice.", schema: InvoiceBody } },
    problems: ["not-found"],
    async handle({ caller, params: { invoiceId } }) {
      const invoice = await findWhole(database.kysely, scopeOf(caller), invoiceId);
      return { status: 200, body: invoiceBody(invoice) };
    },
  }),

  read({
    method: "get",
    path: "/v1/invoices",
    operationId: "listInvoices",
    tag: "Invoices",
    scope: "read",
    summary: "List invoices, newest first, without lines",
    params: z.object({}),
    query: z.strictObject({
      state: InvoiceState.optional(),
      customerId: uuid("Of this customer alone").optional(),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: InvoiceListBody } },
    problems: [],
    async handle({ caller, query }) {
      const { invoices, nextCursor } = await listInvoices(
        database.kysely,
        scopeOf(caller),
        given(query),
      );
      return { status: 200, body: { invoices: invoices.map(invoiceHeadBody), nextCursor } };
    },
  }),
];

/** What a draft takes from its company and customer, unless it says otherwise. */
async function defaultsOf(tx: Tx, companyId: string, customerId: string) {
  const company = await findCompany(tx, companyId, companyId);
  const customer = await findCustomer(tx, companyId, customerId);
  if (company === undefined) throw notFound("company", companyId);
  if (customer === undefined)
    throw refusal("invalid-body", [
      { path: "customerId", message: `names no customer of company ${companyId}` },
    ]);
  return { currency: company.currency, locale: customer.locale };
}

/** An invoice with its lines. @throws {Problem} `not-found` */
export async function findWhole(
  db: Queryable,
  scope: CompanyScope,
  invoiceId: string,
): Promise<InvoiceWithLines> {
  const invoice = await findInvoice(db, scope, invoiceId);
  if (invoice === undefined) throw notFound("invoice", invoiceId);
  return invoice;
}
