import { paymentReminder } from "@ballast/contracts";
import {
  type Company,
  findReminderSettings,
  moveReminders,
  type ReminderSettings,
  type Tx,
} from "@ballast/database";

/** Reminders that wait for their day go by the time zone and the settings that their company has by now. */
export async function moveWaiting(
  tx: Tx,
  { id: companyId, timeZone }: Pick<Company, "id" | "timeZone">,
): Promise<ReminderSettings> {
  const settings = await findReminderSettings(tx, companyId);
  const { name: job, queue, giveUpAfterMs } = paymentReminder;
  const company = { companyId, timeZone, settings };
  await moveReminders(tx, { ...company, job, queue: queue.name, giveUpAfterMs });
  return settings;
}
