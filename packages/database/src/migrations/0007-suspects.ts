import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Runs under which a process ended: they run alone until they succeed, and die of the third crash alone. */
export const suspects: Migration = {
  up: async (db) => {
    await sql`
      ALTER TABLE job_runs
        ADD COLUMN suspect_since timestamptz,
        ADD COLUMN running_alone boolean NOT NULL DEFAULT false,
        ADD COLUMN crashes_alone int NOT NULL DEFAULT 0`.execute(db);
  },
};
