import { renderInvoice, sendInvoice } from "@ballast/contracts";
import { findInvoiceHead, type Invoice, type Tx } from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { z } from "zod";
import { type Caller, requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, type WriteCall, write } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { askForMail, askForPdf, isRendered } from "../jobs/invoice-work.ts";
import { AcceptedBody, acceptedHeaders, MailAcceptedBody, ResendInput } from "../schemas/job.ts";
import { InvoiceParams } from "./invoices.ts";

interface Deps {
  readonly requests: Requests<Tx>;
  /** Hand over what was just committed. */
  readonly nudge: () => void;
}

/** Ask for work on an invoice. The answer never waits for the queue engine, let alone for the work. */
export const invoiceJobRoutes = ({ requests, nudge }: Deps): Endpoint[] => [
  write({
    method: "post",
    path: "/v1/invoices/{invoiceId}/pdf",
    operationId: "renderInvoice",
    asksForWork: true,
    tag: "Work",
    scope: "write",
    summary: "Ask for the invoice's PDF",
    description:
      "Rendered once: a document that is there already is what the job answers with. Wishes that come while one waits join it.",
    params: InvoiceParams,
    query: z.object({}),
    body: z.strictObject({}),
    example: {},
    bodyOptional: true,
    answers: {
      202: { description: "Asked for.", schema: AcceptedBody, headers: acceptedHeaders },
    },
    problems: ["not-found", "invoice-not-issued", "invoice-state"],
    async handle(call) {
      const { tx } = call;
      const invoice = await issued(tx, call.caller, call.params.invoiceId);
      if (invoice.state === "void" && !(await isRendered(tx, invoice)))
        throw new Problem(
          "invoice-state",
          `invoice ${invoice.id} is void and was never rendered: it gets no PDF any more`,
        );
      const asked = await askForPdf(tx, requests, invoice, wisherOf(call));
      return accepted({ ...asked, job: renderInvoice.name }, nudge);
    },
  }),

  write({
    method: "post",
    path: "/v1/invoices/{invoiceId}/send",
    operationId: "sendInvoice",
    asksForWork: true,
    tag: "Work",
    scope: "write",
    summary: "Ask for the invoice to be mailed to its customer",
    description:
      'Always means the first mail of this invoice: a repeat, with or without an Idempotency-Key, answers with the first request. To mail it once more say so: `{"resend": true, "reason": "…"}`. The recipient is fixed now, and anew if the first request was cancelled before any worker had it; the mail waits for the PDF, which is asked for as well if need be.',
    params: InvoiceParams,
    query: z.object({}),
    body: ResendInput,
    example: {},
    bodyOptional: true,
    answers: {
      202: {
        description: "Asked for, now or by the first request.",
        schema: MailAcceptedBody,
        headers: acceptedHeaders,
      },
    },
    problems: [
      "not-found",
      "invoice-not-issued",
      "invoice-state",
      "no-recipient",
      "recipient-suppressed",
    ],
    async handle(call) {
      const { tx, caller, params, body } = call;
      const invoice = await issued(tx, caller, params.invoiceId);
      if (invoice.state === "void")
        throw new Problem("invoice-state", `invoice ${invoice.id} is void: it is not mailed`);

      const reason = body.resend ? body.reason : null;
      const asked = await askForMail(tx, requests, invoice, reason, wisherOf(call));
      return accepted({ ...asked, job: sendInvoice.name }, nudge);
    },
  }),
];

const wisherOf = (call: WriteCall<unknown, unknown, unknown>) => ({
  requestedBy: requestedBy(call.caller),
  traceparent: call.traceparent,
});

const accepted = <Body extends { readonly requestId: string }>(body: Body, nudge: () => void) => ({
  status: 202,
  headers: { Location: `/v1/jobs/${body.requestId}` },
  body,
  committed: nudge,
});

async function issued(tx: Tx, caller: Caller, invoiceId: string): Promise<Invoice> {
  const invoice = await findInvoiceHead(tx, scopeOf(caller), invoiceId);
  if (invoice === undefined) throw notFound("invoice", invoiceId);
  if (invoice.state === "draft")
    throw new Problem(
      "invoice-not-issued",
      `invoice ${invoiceId} is a draft: issue it first with POST /v1/invoices/${invoiceId}/issue`,
    );
  return invoice;
}
