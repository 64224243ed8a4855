import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What is asked for again and again, when next, and what was asked for before. */
export const schedules: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE schedules (
        id text PRIMARY KEY,
        company_id uuid REFERENCES companies,
        queue text NOT NULL,
        job text NOT NULL,
        payload jsonb NOT NULL,
        cron text NOT NULL,
        time_zone text NOT NULL,
        next_at timestamptz NOT NULL
      )`.execute(db);
    await sql`CREATE INDEX ON schedules (next_at)`.execute(db);

    await sql`
      CREATE TABLE schedule_ticks (
        id uuid PRIMARY KEY,
        schedule_id text NOT NULL REFERENCES schedules ON DELETE CASCADE,
        -- The time it was meant for; absent if a person asked for it out of turn.
        due_at timestamptz,
        asked_at timestamptz NOT NULL DEFAULT now(),
        requested_by text NOT NULL,
        request_id uuid NOT NULL
      )`.execute(db);
    await sql`CREATE INDEX ON schedule_ticks (schedule_id, asked_at DESC)`.execute(db);
  },
};
