import { z } from "zod";
import { defineJob } from "../job.ts";
import { email } from "../queues.ts";

/** Friendly while there is time, or once it is over. */
export const ReminderStep = z.enum(["before", "after"]);

/**
 * Remind a customer of what they owe, some days before or after it is due.
 *
 * Asked for long before, so it looks when it wakes: of an invoice that is paid or void, or whose due date was moved,
 * nobody is reminded; nor in advance once the due date is over. One mail per (invoice, due date, step), held by the
 * ledger of mails.
 */
export const paymentReminder = defineJob({
  queue: email,
  name: "payment-reminder",
  version: 1,
  payload: z.object({
    invoiceId: z.uuid().toLowerCase(),
    /** As it was when this was asked for. */
    dueDate: z.iso.date(),
    step: ReminderStep,
  }),
  result: z.object({
    /** Whether it was mailed, or why nobody needs it any more. */
    outcome: z.enum(["sent", "paid", "void", "moved", "off", "overdue"]),
    deliveryId: z.uuid().nullable(),
    messageId: z.string().nullable(),
  }),
  // As mails of invoices: a full mailbox takes hours.
  attempts: 52,
  backoff: { type: "exponential", delayMs: 60_000, maxDelayMs: 30 * 60_000 },
  timeoutMs: 120_000,
  // Later than this it would puzzle rather than remind.
  giveUpAfterMs: 7 * 24 * 3_600_000,
  priority: 10,
  slot: ({ invoiceId, dueDate, step }) => `${invoiceId}-${dueDate}-${step}`,
  subject: ({ invoiceId }) => `invoice:${invoiceId}`,
});
