import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** One bulk replay at a time for each queue and company; one of all companies has a place of its own. */
export const replaysOfCompanies: Migration = {
  up: async (db) => {
    await sql`DROP INDEX replays_one_per_queue`.execute(db);
    // Under its old name, which an API of the release before knows a second replay by.
    await sql`
      CREATE UNIQUE INDEX replays_one_per_queue ON replays (queue, company_id) NULLS NOT DISTINCT
      WHERE state IN ('canary', 'running')`.execute(db);
  },
};
