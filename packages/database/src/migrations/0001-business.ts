import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Companies, their customers, products and invoices. */
export const business: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE companies (
        id uuid PRIMARY KEY,
        legal_name text NOT NULL,
        address jsonb NOT NULL,
        tax_ids jsonb NOT NULL DEFAULT '[]',
        iban text,
        bic text,
        bank_name text,
        currency char(3) NOT NULL,
        time_zone text NOT NULL,
        email text,
        phone text,
        website text,
        mail_from_name text NOT NULL,
        mail_from_address text NOT NULL,
        number_prefix text NOT NULL,
        next_invoice_number int NOT NULL DEFAULT 1 CHECK (next_invoice_number >= 1),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`.execute(db);

    await sql`
      CREATE TABLE customers (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL REFERENCES companies,
        name text NOT NULL,
        address jsonb NOT NULL,
        email text,
        locale text NOT NULL,
        tax_id text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (company_id, id)
      )`.execute(db);

    await sql`
      CREATE TABLE products (
        company_id uuid NOT NULL REFERENCES companies,
        sku text NOT NULL,
        name text NOT NULL,
        unit_price_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (company_id, sku)
      )`.execute(db);

    // (company_id, customer_id) together: an invoice can never name another company's customer.
    await sql`
      CREATE TABLE invoices (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL REFERENCES companies,
        customer_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'issued', 'paid', 'void')),
        number text,
        revision int NOT NULL DEFAULT 0,
        currency char(3) NOT NULL,
        locale text NOT NULL,
        issue_date date,
        due_date date,
        payment_terms text,
        notes text,
        net_minor bigint NOT NULL,
        tax_minor bigint NOT NULL,
        gross_minor bigint NOT NULL CHECK (gross_minor = net_minor + tax_minor),
        issued_snapshot jsonb,
        issued_at timestamptz,
        paid_at timestamptz,
        voided_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (company_id, id),
        UNIQUE (company_id, number),
        FOREIGN KEY (company_id, customer_id) REFERENCES customers (company_id, id),
        CHECK ((state = 'draft') = (number IS NULL)),
        CHECK ((state = 'draft') = (issued_snapshot IS NULL)),
        CHECK ((state = 'draft') = (revision = 0))
      )`.execute(db);
    await sql`CREATE INDEX ON invoices (company_id, created_at DESC, id DESC)`.execute(db);
    await sql`CREATE INDEX ON invoices (company_id, customer_id)`.execute(db);

    await sql`
      CREATE TABLE invoice_lines (
        invoice_id uuid NOT NULL,
        company_id uuid NOT NULL,
        position int NOT NULL CHECK (position >= 1),
        sku text,
        description text NOT NULL,
        quantity numeric NOT NULL CHECK (scale(quantity) <= 6),
        unit text NOT NULL,
        unit_price_minor bigint NOT NULL,
        tax_rate numeric(5, 2) NOT NULL CHECK (tax_rate BETWEEN 0 AND 100),
        net_minor bigint NOT NULL,
        PRIMARY KEY (invoice_id, position),
        FOREIGN KEY (company_id, invoice_id) REFERENCES invoices (company_id, id) ON DELETE CASCADE
      )`.execute(db);
  },
};
