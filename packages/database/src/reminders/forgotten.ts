import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { dayIn, hourOn } from "./reminder-time.ts";
import { isTooLate, type ReminderStep } from "./settings.ts";

/** An invoice that is to be reminded of, and nobody has asked for it. */
export interface ForgottenReminder {
  readonly invoiceId: string;
  readonly companyId: string;
  /** `YYYY-MM-DD` */
  readonly dueDate: string;
  readonly step: ReminderStep;
  /** When, by what the company has set. */
  readonly at: Date;
}

interface Candidate extends Omit<ForgottenReminder, "at"> {
  readonly day: string;
  readonly issuedAt: Date;
  readonly timeZone: string;
  readonly atHour: number;
}

interface Look {
  /** The reminder, whose slots are `<job>:<company>:<invoice>-<due date>-<step>`. */
  readonly job: string;
  readonly queue: string;
  /** How far ahead. */
  readonly days: number;
  /** Invoices that are read at once. */
  readonly batch: number;
}

/** A reminder that is later than this is none. */
export const LATEST_DAYS = 7;

/**
 * Find reminders of the next days and the last seven that no run is there for and that were never mailed: lost, or
 * never asked for. One that died is a letter, and somebody decides about that; one that was cancelled, somebody did.
 *
 * @returns batches, of which some may be empty
 */
export async function* forgottenReminders(
  db: Queryable,
  look: Look,
): AsyncGenerator<ForgottenReminder[], void, undefined> {
  let last: Candidate | undefined;
  do {
    const found = await candidates(db, look, last);
    last = found.length < look.batch ? undefined : found.at(-1);
    yield found.flatMap(forgotten);
  } while (last !== undefined);
}

/** Told here, since PostgreSQL does not know all zones that a company may be in. */
function forgotten(candidate: Candidate): ForgottenReminder[] {
  const { invoiceId, companyId, dueDate, step, day, issuedAt, timeZone, atHour } = candidate;
  const at = hourOn(day, atHour, timeZone);
  // It was not forgotten but left out: the invoice was issued when its time was over.
  const isLeftOut = at <= issuedAt;
  return isLeftOut || isTooLate(step, dueDate, dayIn(timeZone, new Date()))
    ? []
    : [{ invoiceId, companyId, dueDate, step, at }];
}

async function candidates(
  db: Queryable,
  { queue, job, days, batch }: Look,
  after: Pick<Candidate, "day" | "invoiceId" | "step"> | undefined,
): Promise<Candidate[]> {
  const { day = "-infinity", invoiceId = "00000000-0000-0000-0000-000000000000" } = after ?? {};
  const { rows } = await sql<Candidate>`
    SELECT i.id AS invoice_id, i.company_id, i.due_date, i.issued_at, due.step, due.day, c.time_zone, s.at_hour
    FROM reminder_settings s
    JOIN companies c ON c.id = s.company_id
    JOIN invoices i ON i.company_id = s.company_id AND i.state = 'issued' AND i.due_date IS NOT NULL
      AND i.due_date BETWEEN current_date - 99 AND current_date + 125
    CROSS JOIN LATERAL (VALUES ('before', i.due_date - s.before_days), ('after', i.due_date + s.after_days))
      AS due (step, day)
    WHERE due.day BETWEEN current_date - ${LATEST_DAYS}::int AND current_date + ${days}::int
      AND (due.day, i.id, due.step) > (${day}::date, ${invoiceId}::uuid, ${after?.step ?? ""})
      AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.queue = ${queue} AND r.state IN ('waiting', 'started')
        AND r.slot = ${job} || ':' || i.company_id || ':' || i.id || '-' || i.due_date || '-' || due.step)
      AND NOT EXISTS (SELECT 1 FROM all_job_runs r WHERE r.subject = 'invoice:' || i.id AND r.state = 'cancelled'
        AND r.queue = ${queue}
        AND r.slot = ${job} || ':' || i.company_id || ':' || i.id || '-' || i.due_date || '-' || due.step)
      AND NOT EXISTS (SELECT 1 FROM email_deliveries e WHERE e.company_id = i.company_id AND e.invoice_id = i.id
        AND e.purpose = 'reminder-' || due.step || ':' || i.due_date AND e.state <> 'planned')
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.queue = ${queue} AND d.job = ${job}
        AND d.subject = 'invoice:' || i.id AND d.payload ->> 'dueDate' = i.due_date::text
        AND d.payload ->> 'step' = due.step)
    ORDER BY due.day, i.id, due.step
    LIMIT ${batch}`.execute(db);
  return rows;
}
