import { renderInvoice, sendInvoice } from "@ballast/contracts";
import { findInvoiceHead, type Tx } from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { z } from "zod";
import { accepted } from "../http/accepted.ts";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Call, type Endpoint, write } from "../http/endpoint.ts";
import { Problem } from "../http/problem.ts";
import { askForMail, askForPdf, refuseUnissued, refuseUnrenderable } from "../jobs/invoice-work.ts";
import type { RenderWishes } from "../jobs/render-wishes.ts";
import { AcceptedBody, acceptedHeaders, MailAcceptedBody, ResendInput } from "../schemas/job.ts";
import { InvoiceParams } from "./invoices.ts";

interface Deps {
  readonly requests: Requests<Tx>;
  readonly renderWishes: RenderWishes;
  /** Hand over what was just committed. */
  readonly nudge: () => void;
}

/** Ask for work on an invoice. The answer never waits for the queue engine, let alone for the work. */
export const invoiceJobRoutes = ({ requests, renderWishes, nudge }: Deps): Endpoint[] => [
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
    async together({ caller, params: { invoiceId }, traceparent }) {
      const wish = { scope: scopeOf(caller), invoiceId, ...wisherOf({ caller, traceparent }) };
      return accepted({ ...(await renderWishes(wish)), job: renderInvoice.name });
    },
    async handle(call) {
      const { tx, caller, params } = call;
      const found = await findInvoiceHead(tx, scopeOf(caller), params.invoiceId);
      const invoice = await refuseUnrenderable(tx, params.invoiceId, found);
      const asked = await askForPdf(tx, requests, invoice, wisherOf(call));
      return { ...accepted({ ...asked, job: renderInvoice.name }), committed: nudge };
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
      const found = await findInvoiceHead(tx, scopeOf(caller), params.invoiceId);
      const invoice = refuseUnissued(params.invoiceId, found);
      if (invoice.state === "void")
        throw new Problem("invoice-state", `invoice ${invoice.id} is void: it is not mailed`);

      const reason = body.resend ? body.reason : null;
      const asked = await askForMail(tx, requests, invoice, reason, wisherOf(call));
      return { ...accepted({ ...asked, job: sendInvoice.name }), committed: nudge };
    },
  }),
];

const wisherOf = ({
  caller,
  traceparent,
}: Pick<Call<unknown, unknown, unknown>, "caller" | "traceparent">) => ({
  requestedBy: requestedBy(caller),
  traceparent,
});
