import { z } from "zod";
import { defineJob } from "../job.ts";
import { email } from "../queues.ts";
import { InvoiceLocale } from "./render-invoice.ts";

/**
 * Mail one invoice revision to its customer, with the PDF attached.
 *
 * One mail per (invoice, revision, recipient, ordinal), held by a ledger: a second run finds it
 * sent. Sending again is a new ordinal. A refusal for now (4xx) is asked again for a day, since
 * greylisting and full mailboxes take hours.
 */
export const sendInvoice = defineJob({
  queue: email,
  name: "send-invoice",
  version: 1,
  payload: z.object({
    invoiceId: z.uuid().toLowerCase(),
    revision: z.int().positive(),
    locale: InvoiceLocale,
    /** Counts from 1; each deliberate resend takes the next. */
    ordinal: z.int().positive().default(1),
  }),
  result: z.object({
    deliveryId: z.uuid(),
    messageId: z.string(),
    /** The server's last words, e.g. `250 2.0.0 Ok: queued as …`. */
    response: z.string(),
  }),
  // 60 s doubling to 30 min: 1 + 2 + 4 + 8 + 16 min, then every 30 min: 51 waits, 23.5 h in all.
  attempts: 52,
  backoff: { type: "exponential", delayMs: 60_000, maxDelayMs: 30 * 60_000 },
  timeoutMs: 120_000,
  slot: ({ invoiceId, revision, ordinal }) => `${invoiceId}:r${revision}:o${ordinal}`,
  subject: ({ invoiceId }) => `invoice:${invoiceId}`,
});
