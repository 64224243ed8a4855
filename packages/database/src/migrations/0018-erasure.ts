import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** The few runs of the history whose payload is another team's, and may name a customer. */
export const erasure: Migration = {
  up: async (db) => {
    await sql`CREATE INDEX job_runs_history_foreign ON job_runs_history (company_id)
      WHERE origin <> 'request'`.execute(db);
  },
};
