import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Whom a company reminds of what they owe, when, and in which words. */
export const reminders: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE reminder_settings (
        company_id uuid PRIMARY KEY REFERENCES companies,
        -- Days before and after the due date; absent: no such reminder.
        before_days int CHECK (before_days BETWEEN 1 AND 90),
        after_days int CHECK (after_days BETWEEN 1 AND 90),
        -- Of the company's day.
        at_hour int NOT NULL CHECK (at_hour BETWEEN 0 AND 23),
        templates jsonb NOT NULL DEFAULT '{}',
        updated_at timestamptz NOT NULL DEFAULT now()
      )`.execute(db);

    // A due date that is moved is reminded of anew, so the date is part of what the mail is.
    await sql`
      ALTER TABLE email_deliveries
        DROP CONSTRAINT email_deliveries_purpose_check,
        ADD CONSTRAINT email_deliveries_purpose_check CHECK (
          purpose = 'invoice' OR purpose ~ '^reminder-(before|after):[0-9]{4}-[0-9]{2}-[0-9]{2}$')`.execute(
      db,
    );
    await sql`CREATE INDEX invoices_due ON invoices (due_date) WHERE state = 'issued'`.execute(db);
  },
};
