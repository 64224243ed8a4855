import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** How often the engine had seen a job stall when its attempt began: one more tells that its worker died. */
export const stallsAtStart: Migration = {
  up: async (db) => {
    await sql`ALTER TABLE job_runs ADD COLUMN running_stalls int`.execute(db);
    await sql`ALTER TABLE job_runs_history ADD COLUMN running_stalls int`.execute(db);
    await sql`
      CREATE OR REPLACE VIEW all_job_runs AS
      SELECT * FROM job_runs UNION ALL SELECT * FROM job_runs_history`.execute(db);
  },
};
