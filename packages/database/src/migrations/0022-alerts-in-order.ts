import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * The alerts of an incident in the order in which they were made, which neither clocks nor the moment their
 * transactions began can tell; and what a channel was not told, since a later alert had made it untrue.
 */
export const alertsInOrder: Migration = {
  up: async (db) => {
    await sql`ALTER TABLE alerts ADD COLUMN ordinal bigint`.execute(db);
    await sql`
      UPDATE alerts a SET ordinal = o.ordinal
      FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS ordinal FROM alerts) o
      WHERE a.id = o.id`.execute(db);
    await sql`
      ALTER TABLE alerts
        ALTER COLUMN ordinal SET NOT NULL,
        -- Given while the incident is locked, so that the later alert of an incident has the higher one.
        ALTER COLUMN ordinal ADD GENERATED ALWAYS AS IDENTITY`.execute(db);
    await sql`
      SELECT setval(pg_get_serial_sequence('alerts', 'ordinal'), max(ordinal)) FROM alerts
      HAVING max(ordinal) IS NOT NULL`.execute(db);
    await sql`ALTER TABLE alert_deliveries ADD COLUMN overtaken boolean NOT NULL DEFAULT false`.execute(
      db,
    );
  },
};
