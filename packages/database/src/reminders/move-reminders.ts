import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { notifyDispatchers } from "../run-store/wake.ts";
import { LATEST_DAYS } from "./forgotten.ts";
import { dayIn } from "./reminder-time.ts";
import { isTooLate, type ReminderSettings, reminderTimes } from "./settings.ts";

interface Move {
  readonly companyId: string;
  readonly timeZone: string;
  readonly settings: ReminderSettings;
  readonly queue: string;
  readonly job: string;
  readonly giveUpAfterMs: number;
}

/**
 * Give a company's reminders that still wait for their day the time they have by its settings of now.
 *
 * One whose new time is over is due at once, if the daily look would ask for it; else it keeps the time it had. So
 * does one that is switched off, which looks at the settings when it wakes.
 */
export async function moveReminders(
  tx: Tx,
  { companyId, timeZone, settings, queue, job, giveUpAfterMs }: Move,
): Promise<void> {
  const waiting = sql`r.company_id = ${companyId} AND r.queue = ${queue} AND r.job = ${job}
    AND r.state = 'waiting' AND r.due_at > now()`;
  // Locked in the order that others lock runs in.
  const { rows } = await sql<{ dueDate: string }>`
    SELECT DISTINCT due_date FROM (
      SELECT r.payload ->> 'dueDate' AS due_date FROM job_runs r WHERE ${waiting}
      ORDER BY r.id FOR NO KEY UPDATE) d`.execute(tx);
  const today = dayIn(timeZone, new Date());
  const times = rows
    .flatMap(({ dueDate }) =>
      reminderTimes(settings, dueDate, timeZone).map((time) => ({ ...time, dueDate })),
    )
    .filter(({ step, dueDate }) => !isTooLate(step, dueDate, today));
  const { numAffectedRows = 0n } = await sql`
    UPDATE job_runs r SET
      due_at = t.at,
      deadline_at = greatest(t.at, now()) + ${giveUpAfterMs} * interval '1 millisecond',
      change_no = nextval('job_run_changes')
    FROM unnest(${times.map(({ dueDate }) => dueDate)}::text[], ${times.map(({ step }) => step)}::text[],
                ${times.map(({ at }) => at)}::timestamptz[]) AS t (due_date, step, at), invoices i
    WHERE ${waiting} AND r.due_at <> t.at
      AND r.payload ->> 'dueDate' = t.due_date AND r.payload ->> 'step' = t.step
      AND i.id = (r.payload ->> 'invoiceId')::uuid
      AND (t.at > now() OR t.at > now() - make_interval(days => ${LATEST_DAYS}) AND t.at > i.issued_at)`.execute(
    tx,
  );
  if (numAffectedRows > 0n) await notifyDispatchers(tx);
}
