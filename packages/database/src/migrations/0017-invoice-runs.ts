import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Many invoices rendered or mailed by one order, and the metering of bulk work into the engine. */
export const invoiceRuns: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE invoice_runs (
        id uuid PRIMARY KEY,
        company_id uuid NOT NULL REFERENCES companies,
        action text NOT NULL CHECK (action IN ('render', 'send')),
        -- Absent where invoices were named one by one.
        filter jsonb,
        invoice_count int NOT NULL,
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'cancelling', 'cancelled', 'completed')),
        requested_by text NOT NULL,
        retried_by text,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- Moves when failures are tried again: what the pace is reckoned from.
        begun_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        -- One replica drives it at a time.
        driver uuid,
        driven_until timestamptz,
        CHECK ((state IN ('running', 'cancelling')) = (finished_at IS NULL))
      )`.execute(db);
    await sql`CREATE INDEX invoice_runs_under_way ON invoice_runs (id) WHERE state IN ('running', 'cancelling')`.execute(
      db,
    );
    await sql`CREATE INDEX invoice_runs_newest ON invoice_runs (company_id, created_at DESC, id DESC)`.execute(
      db,
    );

    await sql`
      CREATE TABLE invoice_run_items (
        invoice_run_id uuid NOT NULL REFERENCES invoice_runs ON DELETE CASCADE,
        invoice_id uuid NOT NULL,
        company_id uuid NOT NULL,
        position int NOT NULL,
        state text NOT NULL DEFAULT 'pending'
          CHECK (state IN ('pending', 'asked', 'done', 'failed', 'dead', 'cancelled')),
        tries int NOT NULL DEFAULT 0,
        -- The run that does it; absent where there was nothing left to do.
        job_run_id uuid,
        -- This order's own wish for it; absent where somebody else's is what will be fulfilled.
        request_id uuid,
        error_code text,
        error_message text,
        ended_at timestamptz,
        PRIMARY KEY (invoice_run_id, invoice_id)
      ) WITH (fillfactor = 80)`.execute(db);
    await sql`CREATE INDEX invoice_run_items_pending ON invoice_run_items (invoice_run_id, position) WHERE state = 'pending'`.execute(
      db,
    );
    await sql`CREATE INDEX invoice_run_items_asked ON invoice_run_items (invoice_run_id) WHERE state = 'asked'`.execute(
      db,
    );
    // Who fell out, to be found among all that went well.
    await sql`CREATE INDEX invoice_run_items_fallen ON invoice_run_items (invoice_run_id, position) WHERE state IN ('failed', 'dead')`.execute(
      db,
    );

    // What the engine was told, to tell it when a run has become more urgent since.
    await sql`ALTER TABLE job_runs ADD COLUMN engine_priority int`.execute(db);
    await sql`ALTER TABLE job_runs_history ADD COLUMN engine_priority int`.execute(db);
    await sql`
      CREATE OR REPLACE VIEW all_job_runs AS
      SELECT * FROM job_runs UNION ALL SELECT * FROM job_runs_history`.execute(db);
    await sql`CREATE INDEX job_runs_raised ON job_runs (id)
      WHERE state = 'waiting' AND handed_at IS NOT NULL AND priority < engine_priority`.execute(db);
    // 1,000 and above is bulk: it is handed over as there is room for it.
    await sql`CREATE INDEX job_runs_bulk ON job_runs (queue, priority, coalesce(due_at, created_at), id)
      WHERE state = 'waiting' AND handed_at IS NULL AND held_for IS NULL AND priority >= 1000`.execute(
      db,
    );
    await sql`CREATE INDEX job_runs_bulk_handed ON job_runs (queue)
      WHERE state IN ('waiting', 'started') AND handed_at IS NOT NULL AND priority >= 1000`.execute(
      db,
    );
  },
};
