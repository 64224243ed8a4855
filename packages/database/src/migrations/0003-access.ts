import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Who may call the API, and what they have already asked. */
export const access: Migration = {
  up: async (db) => {
    // No reference to companies: a key may exist before the company that it is made for.
    await sql`
      CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        prefix text NOT NULL UNIQUE,
        hash bytea NOT NULL,
        company_id uuid,
        scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'operate']),
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz,
        last_used_at timestamptz
      )`.execute(db);

    await sql`
      CREATE TABLE idempotency_keys (
        api_key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
        key text NOT NULL,
        owner uuid NOT NULL,
        method text NOT NULL,
        path text NOT NULL,
        body_hash text NOT NULL,
        state text NOT NULL DEFAULT 'in_flight' CHECK (state IN ('in_flight', 'done')),
        status int,
        headers jsonb,
        body text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (api_key_id, key),
        CHECK ((state = 'done') = (status IS NOT NULL))
      )`.execute(db);
    await sql`CREATE INDEX ON idempotency_keys (created_at)`.execute(db);
  },
};
