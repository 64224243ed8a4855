import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Gates and quotas of what other people run, one row each, which all processes go by. */
export const remotes: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE remotes (
        kind text NOT NULL CHECK (kind IN ('marketplace', 'smtp', 'storage', 'channel')),
        key text NOT NULL,
        gate text NOT NULL DEFAULT 'open' CHECK (gate IN ('open', 'closed', 'ramping')),
        failures int NOT NULL DEFAULT 0,
        probes int NOT NULL DEFAULT 0,
        successes int NOT NULL DEFAULT 0,
        closed_at timestamptz,
        code text,
        message text,
        next_probe_at timestamptz,
        capacity float8,
        restore_per_second float8,
        tokens float8 NOT NULL DEFAULT 0,
        tokens_at timestamptz NOT NULL DEFAULT now(),
        blocked_until timestamptz,
        resets_at timestamptz,
        changed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (kind, key),
        CHECK ((gate = 'open') = (closed_at IS NULL))
      )`.execute(db);
    await sql`CREATE INDEX remotes_not_open ON remotes (closed_at) WHERE gate <> 'open'`.execute(
      db,
    );
  },
};
