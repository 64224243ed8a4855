import {
  InvoiceNotFoundError,
  InvoiceStateError,
  InvoiceWithoutLinesError,
  issueInvoice,
  payInvoice,
  type Tx,
  voidInvoice,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { z } from "zod";
import { type Caller, requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import { askReminders } from "../reminders/ask-reminders.ts";
import { InvoiceBody, invoiceBody } from "../schemas/invoice.ts";
import { findWhole, InvoiceParams } from "./invoices.ts";

interface Step {
  readonly name: "issue" | "pay" | "void";
  readonly take: typeof issueInvoice;
  readonly summary: string;
  readonly description: string;
}

const STEPS: readonly Step[] = [
  {
    name: "issue",
    take: issueInvoice,
    summary: "Issue a draft",
    description:
      "It gets its number, without gaps within the company, and keeps company and customer as they are now.",
  },
  {
    name: "pay",
    take: payInvoice,
    summary: "Mark an issued invoice as paid",
    description: "From `issued` alone.",
  },
  {
    name: "void",
    take: voidInvoice,
    summary: "Take an issued invoice back",
    description: "From `issued` alone. Its number stays taken and its document stays as it was.",
  },
];

/** What becomes of an invoice: one POST per step. */
export const invoiceStepRoutes = ({ requests }: { readonly requests: Requests<Tx> }): Endpoint[] =>
  STEPS.map(({ name, take, summary, description }) =>
    write({
      method: "post",
      path: `/v1/invoices/{invoiceId}/${name}`,
      operationId: `${name}Invoice`,
      tag: "Invoices",
      scope: "write",
      summary,
      description,
      params: InvoiceParams,
      query: z.object({}),
      body: z.strictObject({}),
      bodyOptional: true,
      answers: { 200: { description: "The invoice after the step.", schema: InvoiceBody } },
      problems: ["not-found", "invoice-state", ...(name === "issue" ? INCOMPLETE : [])],
      async handle({ caller, params: { invoiceId }, traceparent, tx }) {
        const invoice = await step(tx, caller, invoiceId, take);
        const wish = { requestedBy: requestedBy(caller), traceparent };
        if (name === "issue") await askReminders(tx, requests, invoice, "skip", wish);
        return { status: 200, body: invoiceBody(invoice) };
      },
    }),
  );

const INCOMPLETE = ["invoice-incomplete"] as const;

async function step(tx: Tx, caller: Caller, invoiceId: string, take: Step["take"]) {
  await take(tx, scopeOf(caller), invoiceId).catch((error: unknown) => {
    if (error instanceof InvoiceNotFoundError) throw notFound("invoice", invoiceId);
    if (error instanceof InvoiceStateError) throw new Problem("invoice-state", error.message);
    if (error instanceof InvoiceWithoutLinesError)
      throw refusal("invoice-incomplete", [
        { path: "lines", message: "must have at least 1 entry", limit: 1 },
      ]);
    throw error;
  });
  return await findWhole(tx, scopeOf(caller), invoiceId);
}
