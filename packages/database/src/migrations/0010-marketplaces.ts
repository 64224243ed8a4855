import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What we hold, where it is sold, and what each marketplace last said that it holds. */
export const marketplaces: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE marketplace_accounts (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL REFERENCES companies,
        kind text NOT NULL,
        name text NOT NULL,
        settings jsonb NOT NULL,
        -- Sealed for this account alone; which key of the ring opens them.
        credentials bytea NOT NULL,
        credentials_key_id text NOT NULL,
        credentials_set_at timestamptz NOT NULL DEFAULT now(),
        paused boolean NOT NULL DEFAULT false,
        -- Changes that come within it are told by one push.
        min_push_interval_ms int NOT NULL DEFAULT 1000
          CHECK (min_push_interval_ms BETWEEN 0 AND 3600000),
        reconcile_cron text,
        reconcile_time_zone text,
        drift_winner text NOT NULL DEFAULT 'ours' CHECK (drift_winner IN ('ours', 'theirs')),
        max_corrections int NOT NULL DEFAULT 3 CHECK (max_corrections BETWEEN 1 AND 100),
        -- When the last push began, and whether it left work that need not wait for the next window.
        last_push_at timestamptz,
        push_unfinished boolean NOT NULL DEFAULT false,
        -- Items that its API takes in one call, as the last push saw it.
        max_batch int,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (company_id, id),
        CHECK ((reconcile_cron IS NULL) = (reconcile_time_zone IS NULL))
      )`.execute(db);

    await sql`
      CREATE TABLE stock (
        company_id uuid NOT NULL,
        sku text NOT NULL,
        quantity int NOT NULL CHECK (quantity >= 0),
        version bigint NOT NULL DEFAULT 1,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (company_id, sku),
        FOREIGN KEY (company_id, sku) REFERENCES products
      )`.execute(db);

    // (company_id, account_id) together: no listing can stand in another company's account.
    await sql`
      CREATE TABLE listings (
        account_id uuid NOT NULL,
        company_id uuid NOT NULL,
        sku text NOT NULL,
        external_id text NOT NULL,
        -- Absent until we know the stock: an unknown one is not told as 0.
        desired_quantity int,
        desired_version bigint NOT NULL DEFAULT 0,
        confirmed_quantity int,
        confirmed_version bigint NOT NULL DEFAULT 0,
        confirmed_at timestamptz,
        dirty boolean NOT NULL GENERATED ALWAYS AS (desired_version > confirmed_version) STORED,
        dirty_since timestamptz,
        urgent boolean NOT NULL DEFAULT false,
        -- When it was last handed to the marketplace, and when we last knew what became of that.
        tried_at timestamptz,
        settled_at timestamptz,
        failures int NOT NULL DEFAULT 0,
        failed_code text,
        failed_message text,
        retry_at timestamptz,
        -- Parked: it can never work as it is.
        rejected_at timestamptz,
        rejected_code text,
        rejected_message text,
        -- Corrections of drift since it was last found in agreement.
        corrections int NOT NULL DEFAULT 0,
        PRIMARY KEY (account_id, sku),
        CONSTRAINT listings_external UNIQUE (account_id, external_id),
        FOREIGN KEY (company_id, account_id) REFERENCES marketplace_accounts (company_id, id) ON DELETE CASCADE,
        FOREIGN KEY (company_id, sku) REFERENCES products
      ) WITH (fillfactor = 80)`.execute(db);
    await sql`CREATE INDEX listings_to_push ON listings (account_id, urgent DESC, dirty_since, sku)
      WHERE dirty AND rejected_at IS NULL`.execute(db);
    await sql`CREATE INDEX listings_parked ON listings (account_id, sku) WHERE rejected_at IS NOT NULL`.execute(
      db,
    );
    await sql`CREATE INDEX listings_of_sku ON listings (company_id, sku)`.execute(db);
    // How fast a backlog goes down.
    await sql`CREATE INDEX listings_confirmed ON listings (account_id, confirmed_at)`.execute(db);

    await sql`
      CREATE TABLE drift_reports (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        company_id uuid NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz NOT NULL DEFAULT now(),
        -- Articles they list, and listings of ours that were compared with them.
        listed int NOT NULL,
        compared int NOT NULL,
        in_agreement int NOT NULL,
        pending int NOT NULL,
        drifted int NOT NULL,
        corrected int NOT NULL,
        given_up int NOT NULL,
        missing int NOT NULL,
        unknown int NOT NULL,
        items jsonb NOT NULL,
        FOREIGN KEY (company_id, account_id) REFERENCES marketplace_accounts (company_id, id) ON DELETE CASCADE
      )`.execute(db);
    await sql`CREATE INDEX drift_reports_newest ON drift_reports (account_id, started_at DESC, id DESC)`.execute(
      db,
    );
  },
};
