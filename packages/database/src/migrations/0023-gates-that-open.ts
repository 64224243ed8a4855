import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** When a gate that opens little by little is open in any case. A release that does not know it opens by successes alone. */
export const gatesThatOpen: Migration = {
  up: async (db) => {
    await sql`ALTER TABLE remotes ADD COLUMN opens_at timestamptz`.execute(db);
  },
};
