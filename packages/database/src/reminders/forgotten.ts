import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { ReminderStep } from "./settings.ts";

/** An invoice that is to be reminded of, and nobody has asked for it. */
export interface ForgottenReminder {
  readonly invoiceId: string;
  readonly companyId: string;
  /** `YYYY-MM-DD` */
  readonly dueDate: string;
  readonly step: ReminderStep;
  readonly timeZone: string;
}

/** A reminder that is later than this is none. */
const LATEST_DAYS = 7;

/**
 * Find reminders of the next days and the last seven that no run is there for and that were never mailed: lost, or
 * never asked for. One that died is a letter, and somebody decides about that.
 *
 * @param job the reminder, whose slots are `<job>:<company>:<invoice>-<due date>-<step>`
 */
export async function forgottenReminders(
  db: Queryable,
  {
    queue,
    job,
    days,
    limit,
  }: {
    readonly queue: string;
    readonly job: string;
    readonly days: number;
    readonly limit: number;
  },
): Promise<ForgottenReminder[]> {
  const { rows } = await sql<ForgottenReminder>`
    SELECT i.id AS invoice_id, i.company_id, i.due_date, due.step, c.time_zone
    FROM reminder_settings s
    JOIN companies c ON c.id = s.company_id
    JOIN invoices i ON i.company_id = s.company_id AND i.state = 'issued' AND i.due_date IS NOT NULL
      AND i.due_date BETWEEN current_date - 99 AND current_date + 125
    CROSS JOIN LATERAL (VALUES ('before', i.due_date - s.before_days), ('after', i.due_date + s.after_days))
      AS due (step, day)
    WHERE due.day BETWEEN current_date - ${LATEST_DAYS}::int AND current_date + ${days}::int
      AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.queue = ${queue} AND r.state IN ('waiting', 'started')
        AND r.slot = ${job} || ':' || i.company_id || ':' || i.id || '-' || i.due_date || '-' || due.step)
      AND NOT EXISTS (SELECT 1 FROM email_deliveries e WHERE e.company_id = i.company_id AND e.invoice_id = i.id
        AND e.purpose = 'reminder-' || due.step || ':' || i.due_date AND e.state <> 'planned')
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.queue = ${queue} AND d.job = ${job}
        AND d.subject = 'invoice:' || i.id AND d.payload ->> 'dueDate' = i.due_date::text
        AND d.payload ->> 'step' = due.step)
    ORDER BY due.day, i.id
    LIMIT ${limit}`.execute(db);
  return rows;
}
