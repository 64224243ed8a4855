import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import type { Mailbox } from "./mailbox.ts";
import { nordlicht } from "./sample/companies.ts";
import { longInvoice } from "./sample/invoices.ts";
import { say } from "./say.ts";
import { putIssued } from "./seed.ts";

export interface ReminderTourResult {
  readonly to: string;
  readonly subject: string;
  /** From the moment it was due to the mail. */
  readonly ms: number;
}

const LINES = 3;
const DAY_MS = 86_400_000;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Let an invoice be due tomorrow, and watch its customer be reminded. */
export async function reminderTour(
  api: ApiClient,
  mailbox: Mailbox,
  signal: AbortSignal,
): Promise<ReminderTourResult> {
  await api.call("PUT", `/v1/companies/${nordlicht.id}/reminders`, {
    body: { beforeDays: 3, afterDays: null },
  });
  const long = longInvoice(randomUUID());
  const today = Date.now();
  await putIssued(api, {
    ...long,
    lines: long.lines.slice(0, LINES),
    issueDate: day(today),
    dueDate: day(today + 30 * DAY_MS),
  });

  const began = performance.now();
  // The reminder of three days before is due at once then.
  const moved = await api.call("PUT", `/v1/invoices/${long.id}/due-date`, {
    body: { dueDate: day(today + DAY_MS) },
  });
  const { number } = z.object({ number: z.string() }).parse(moved.body);
  const mail = await mailbox.waitFor(
    ({ parsed }) => parsed.subject?.includes(number) === true && parsed.attachments.length === 0,
    AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
  );
  const ms = Math.round(performance.now() - began);
  const to = mail.envelopeTo.join(", ");
  const subject = mail.parsed.subject ?? "";
  say(`reminder to ${to} after ${ms} ms: "${subject}"`);
  return { to, subject, ms };
}
