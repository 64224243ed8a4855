import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Deaths, what they have in common, whom we told, and what operators did about it. */
export const deadLetters: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE incidents (
        id uuid PRIMARY KEY,
        queue text NOT NULL,
        fingerprint text NOT NULL,
        job text NOT NULL,
        code text,
        title text NOT NULL,
        state text NOT NULL DEFAULT 'open'
          CHECK (state IN ('open', 'ticketed', 'resolved', 'ignored')),
        death_count bigint NOT NULL DEFAULT 0,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        worker_versions text[] NOT NULL DEFAULT '{}',
        -- Since it was opened, or opened again: what the next alert counts from.
        counted_from bigint NOT NULL DEFAULT 0,
        next_alert_at bigint NOT NULL DEFAULT 1,
        ignored_until timestamptz,
        ignored_above bigint,
        resolved_at timestamptz,
        reopened_count int NOT NULL DEFAULT 0,
        ticket_system text,
        ticket_id text,
        ticket_url text,
        -- The count that the ticket shows, and the one it is asked to show.
        ticket_told_count bigint,
        ticket_wanted_count bigint,
        -- The resolution that people were told of.
        resolved_told_at timestamptz,
        UNIQUE (queue, fingerprint),
        CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
      )`.execute(db);
    await sql`CREATE INDEX incidents_last_seen ON incidents (last_seen_at DESC, id DESC)`.execute(
      db,
    );

    await sql`CREATE INDEX incidents_resolution_to_tell ON incidents (id)
      WHERE state = 'resolved' AND resolved_told_at IS DISTINCT FROM resolved_at`.execute(db);

    // One run dies once, so its id is the letter's. Runs move to history: no reference.
    await sql`
      CREATE TABLE dead_letters (
        run_id uuid PRIMARY KEY,
        queue text NOT NULL,
        engine_job_id text NOT NULL,
        job text NOT NULL,
        version int NOT NULL,
        payload jsonb NOT NULL,
        company_id uuid,
        subject text,
        priority int NOT NULL,
        code text,
        message text,
        stack text,
        worker text,
        traceparent text,
        attempts_made int NOT NULL,
        generation int NOT NULL,
        replay_of uuid,
        origin text NOT NULL,
        asked_at timestamptz NOT NULL,
        died_at timestamptz NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT now(),
        size_bytes int NOT NULL,
        -- Both by the notifier, shortly after parking.
        fingerprint text,
        incident_id uuid REFERENCES incidents,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
        settled_at timestamptz,
        settled_by text,
        settled_reason text,
        replay_run_id uuid,
        replay_request_id uuid,
        -- When the failed job was taken out of the engine, which follows triage.
        engine_cleared_at timestamptz,
        UNIQUE (queue, engine_job_id, died_at),
        CHECK ((state = 'open') = (settled_at IS NULL)),
        CHECK ((fingerprint IS NULL) = (incident_id IS NULL)),
        CHECK ((state = 'replayed') = (replay_run_id IS NOT NULL))
      )`.execute(db);
    await sql`CREATE INDEX dead_letters_newest ON dead_letters (died_at DESC, run_id DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_company ON dead_letters (company_id, died_at DESC, run_id DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_open ON dead_letters (queue, died_at, run_id) WHERE state = 'open'`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_incident ON dead_letters (incident_id, died_at DESC, run_id DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_subject ON dead_letters (subject, died_at DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_unfiled ON dead_letters (parked_at, run_id) WHERE incident_id IS NULL`.execute(
      db,
    );
    await sql`CREATE INDEX dead_letters_to_clear ON dead_letters (queue, settled_at)
      WHERE state <> 'open' AND engine_cleared_at IS NULL`.execute(db);

    // The one place where a death is parked, whoever writes it down: worker, reconciler or sweep.
    await sql`
      CREATE FUNCTION park_dead_run() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE last job_attempts%ROWTYPE;
      BEGIN
        SELECT * INTO last FROM job_attempts WHERE run_id = NEW.id
        ORDER BY coalesce(started_at, ended_at) DESC, ended_at DESC LIMIT 1;
        INSERT INTO dead_letters (run_id, queue, engine_job_id, job, version, payload, company_id,
          subject, priority, code, message, stack, worker, traceparent, attempts_made, generation,
          replay_of, origin, asked_at, died_at, size_bytes)
        VALUES (NEW.id, NEW.queue, NEW.engine_job_id, NEW.job, NEW.version, NEW.payload,
          NEW.company_id, NEW.subject, NEW.priority, NEW.error_code, NEW.error_message,
          CASE WHEN last.outcome = 'dead' THEN last.stack END, last.worker,
          (SELECT q.traceparent FROM job_requests q WHERE q.run_id = NEW.id
           ORDER BY q.created_at, q.id LIMIT 1),
          NEW.attempts_made, NEW.generation, NEW.replay_of, NEW.origin, NEW.created_at,
          NEW.finished_at,
          octet_length(NEW.payload::text) + coalesce(octet_length(NEW.error_message), 0)
            + CASE WHEN last.outcome = 'dead' THEN coalesce(octet_length(last.stack), 0) ELSE 0 END)
        ON CONFLICT DO NOTHING;
        PERFORM pg_notify('ballast_death', NEW.queue);
        RETURN NULL;
      END $$`.execute(db);
    await sql`
      CREATE TRIGGER job_runs_park AFTER UPDATE OF state ON job_runs
      FOR EACH ROW WHEN (NEW.state = 'dead' AND OLD.state <> 'dead')
      EXECUTE FUNCTION park_dead_run()`.execute(db);

    await sql`
      CREATE TABLE alerts (
        id uuid PRIMARY KEY,
        incident_id uuid NOT NULL REFERENCES incidents,
        kind text NOT NULL CHECK (kind IN ('opened', 'grown', 'reopened', 'resolved')),
        death_count bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`.execute(db);
    await sql`CREATE INDEX alerts_incident ON alerts (incident_id, created_at)`.execute(db);
    // The ledger of what people were told: a row for each channel that took the alert.
    await sql`
      CREATE TABLE alert_deliveries (
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        channel text NOT NULL,
        response text NOT NULL,
        sent_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (alert_id, channel)
      )`.execute(db);

    await sql`
      CREATE TABLE operator_actions (
        id uuid PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor text NOT NULL,
        action text NOT NULL,
        target_kind text NOT NULL,
        target_id text NOT NULL,
        company_id uuid,
        subject text,
        reason text,
        before jsonb,
        after jsonb
      )`.execute(db);
    await sql`CREATE INDEX operator_actions_newest ON operator_actions (at DESC, id DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX operator_actions_subject ON operator_actions (subject, at) WHERE subject IS NOT NULL`.execute(
      db,
    );
    await sql`CREATE INDEX operator_actions_target ON operator_actions (target_kind, target_id, at)`.execute(
      db,
    );
  },
};
