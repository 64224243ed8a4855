import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What the work left behind in the world: documents and mails. */
export const effects: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE documents (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL,
        invoice_id uuid NOT NULL,
        revision int NOT NULL CHECK (revision >= 1),
        locale text NOT NULL,
        object_key text NOT NULL UNIQUE,
        mail_body_key text,
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        page_count int NOT NULL CHECK (page_count >= 1),
        size_bytes int NOT NULL CHECK (size_bytes >= 1),
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (invoice_id, revision, locale),
        FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id)
      )`.execute(db);

    await sql`
      CREATE TABLE email_deliveries (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL,
        invoice_id uuid NOT NULL,
        revision int NOT NULL CHECK (revision >= 1),
        purpose text NOT NULL CHECK (purpose IN ('invoice')),
        recipient text NOT NULL,
        ordinal int NOT NULL CHECK (ordinal >= 1),
        reason text,
        state text NOT NULL DEFAULT 'planned'
          CHECK (state IN ('planned', 'sending', 'sent', 'rejected', 'unknown', 'suppressed')),
        fence int NOT NULL DEFAULT 0,
        lease_until timestamptz,
        message_id text NOT NULL,
        response text,
        error_code text,
        error_message text,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        UNIQUE (company_id, invoice_id, revision, purpose, recipient, ordinal),
        FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id),
        CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
        CHECK ((state = 'sent') = (sent_at IS NOT NULL))
      )`.execute(db);

    await sql`
      CREATE TABLE suppressions (
        company_id uuid NOT NULL REFERENCES companies,
        address text NOT NULL CHECK (address = lower(address)),
        reason text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (company_id, address)
      )`.execute(db);
  },
};
