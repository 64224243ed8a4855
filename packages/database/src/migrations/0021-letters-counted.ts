import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** How many letters there are and what room they take, asked several times a minute, without reading one. */
export const lettersCounted: Migration = {
  up: async (db) => {
    await sql`CREATE INDEX dead_letters_count ON dead_letters (queue, state) INCLUDE (size_bytes)`.execute(
      db,
    );
  },
};
