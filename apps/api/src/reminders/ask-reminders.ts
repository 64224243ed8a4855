import { paymentReminder } from "@ballast/contracts";
import {
  dayIn,
  findCompany,
  holdReminderSettings,
  type Invoice,
  isTooLate,
  reminderTimes,
  type Tx,
} from "@ballast/database";
import type { Requests, Wish } from "@ballast/jobs";

/**
 * Ask for the reminders of an invoice's due date, each at its time.
 *
 * @param past what becomes of one whose time is over: an invoice that was issued this moment needs none; a due date
 *   that was moved does, at once, unless it is past itself
 */
export async function askReminders(
  tx: Tx,
  requests: Requests<Tx>,
  { id: invoiceId, companyId, dueDate }: Invoice,
  past: "skip" | "at-once",
  wish: Pick<Wish, "traceparent"> & { readonly requestedBy: string },
): Promise<void> {
  if (dueDate === null) return;
  const company = await findCompany(tx, companyId, companyId);
  if (company === undefined) return;
  const settings = await holdReminderSettings(tx, companyId);
  const now = new Date();
  const today = dayIn(company.timeZone, now);
  for (const { step, at } of reminderTimes(settings, dueDate, company.timeZone)) {
    const isPast = at <= now;
    if (isTooLate(step, dueDate, today)) continue;
    if (isPast && (past === "skip" || step === "after")) continue;
    await requests.ask(
      tx,
      paymentReminder,
      { invoiceId, dueDate, step },
      { ...wish, companyId, dueAt: at },
    );
  }
}
