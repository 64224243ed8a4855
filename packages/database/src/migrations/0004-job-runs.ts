import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** The journal of the work: runs, the requests they fulfil, the attempts they took. */
export const jobRuns: Migration = {
  up: async (db) => {
    await sql`CREATE SEQUENCE job_run_changes`.execute(db);
    await sql`
      CREATE TABLE job_runs (
        id uuid PRIMARY KEY,
        queue text NOT NULL,
        engine_job_id text NOT NULL,
        job text NOT NULL,
        version int NOT NULL,
        payload jsonb NOT NULL,
        company_id uuid,
        subject text,
        slot text,
        state text NOT NULL DEFAULT 'waiting'
          CHECK (state IN ('waiting', 'started', 'completed', 'dead', 'cancelled')),
        priority int NOT NULL,
        due_at timestamptz,
        deadline_at timestamptz NOT NULL,
        held_for text,
        generation int NOT NULL DEFAULT 1,
        replay_of uuid,
        origin text NOT NULL DEFAULT 'request' CHECK (origin IN ('request', 'external', 'replay')),
        created_at timestamptz NOT NULL DEFAULT now(),
        claimed_until timestamptz,
        handed_at timestamptz,
        touched_at timestamptz,
        started_at timestamptz,
        finished_at timestamptz,
        attempts_made int NOT NULL DEFAULT 0,
        running_attempt_id uuid,
        running_since timestamptz,
        running_on text,
        next_attempt_at timestamptz,
        wait_code text,
        wait_message text,
        progress jsonb,
        result jsonb,
        error_code text,
        error_message text,
        cancel_requested_at timestamptz,
        change_no bigint NOT NULL DEFAULT nextval('job_run_changes'),
        CONSTRAINT job_runs_engine_job UNIQUE (queue, engine_job_id),
        CHECK ((state IN ('completed', 'dead', 'cancelled')) = (finished_at IS NOT NULL))
      ) WITH (fillfactor = 80)`.execute(db);

    // At most one run of a slot waits and one is started: the database holds it, whatever the code does.
    await sql`CREATE UNIQUE INDEX job_runs_slot_waiting ON job_runs (queue, slot) WHERE state = 'waiting'`.execute(
      db,
    );
    await sql`CREATE UNIQUE INDEX job_runs_slot_started ON job_runs (queue, slot) WHERE state = 'started'`.execute(
      db,
    );
    // One index for each question that is asked all the time; each holds only the rows it is about.
    await sql`CREATE INDEX job_runs_to_dispatch ON job_runs (priority, coalesce(due_at, created_at), id)
      WHERE state = 'waiting' AND handed_at IS NULL AND held_for IS NULL`.execute(db);
    await sql`CREATE INDEX job_runs_due ON job_runs (due_at)
      WHERE state = 'waiting' AND handed_at IS NULL AND held_for IS NULL AND due_at IS NOT NULL`.execute(
      db,
    );
    await sql`CREATE INDEX job_runs_claimed ON job_runs (claimed_until)
      WHERE state = 'waiting' AND handed_at IS NULL AND claimed_until IS NOT NULL`.execute(db);
    await sql`CREATE INDEX job_runs_held ON job_runs (held_for) WHERE state = 'waiting' AND held_for IS NOT NULL`.execute(
      db,
    );
    await sql`CREATE INDEX job_runs_alive ON job_runs (touched_at)
      WHERE state IN ('waiting', 'started') AND handed_at IS NOT NULL`.execute(db);
    await sql`CREATE INDEX job_runs_deadline ON job_runs (deadline_at) WHERE state = 'waiting'`.execute(
      db,
    );
    await sql`CREATE INDEX job_runs_subject ON job_runs (subject, created_at DESC)`.execute(db);
    await sql`CREATE INDEX job_runs_company ON job_runs (company_id, created_at DESC)`.execute(db);

    await sql`
      CREATE TABLE job_requests (
        id uuid PRIMARY KEY,
        run_id uuid NOT NULL REFERENCES job_runs ON DELETE CASCADE,
        requested_by text,
        traceparent text,
        joined boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        cancelled_at timestamptz
      )`.execute(db);
    await sql`CREATE INDEX job_requests_run ON job_requests (run_id, created_at, id)`.execute(db);
    await sql`CREATE INDEX job_requests_newest ON job_requests (created_at DESC, id DESC)`.execute(
      db,
    );

    await sql`
      CREATE TABLE job_attempts (
        id uuid PRIMARY KEY,
        run_id uuid NOT NULL REFERENCES job_runs ON DELETE CASCADE,
        started_at timestamptz,
        ended_at timestamptz NOT NULL,
        outcome text NOT NULL CHECK (outcome IN
          ('completed', 'retry', 'postpone', 'interrupted', 'cancelled', 'dead', 'lost')),
        code text,
        message text,
        stack text,
        next_attempt_at timestamptz,
        worker text
      )`.execute(db);
    await sql`CREATE INDEX job_attempts_run ON job_attempts (run_id, started_at)`.execute(db);

    await sql`
      CREATE TABLE marks (
        name text PRIMARY KEY,
        value text NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now()
      )`.execute(db);
  },
};
