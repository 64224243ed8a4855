import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** A remote that is not called is an incident too: people deal with it, and are told of it, as with deaths. */
export const gateIncidents: Migration = {
  up: async (db) => {
    await sql`
      ALTER TABLE incidents
        ADD COLUMN remote_kind text,
        ADD COLUMN remote_key text,
        -- As people know it.
        ADD COLUMN remote_name text,
        -- The closing of its gate that was told last, and the end of that.
        ADD COLUMN gate_closed_at timestamptz,
        ADD COLUMN gate_opened_at timestamptz,
        ADD CHECK (num_nulls(remote_kind, remote_key, remote_name, gate_closed_at) IN (0, 4))`.execute(
      db,
    );
    await sql`CREATE INDEX incidents_remote ON incidents (remote_kind, remote_key)
      WHERE remote_kind IS NOT NULL`.execute(db);
  },
};
