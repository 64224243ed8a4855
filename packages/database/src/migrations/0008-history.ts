import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Where runs go once they are over: the same columns, in partitions by the month they ended in.
 *
 * The partitions themselves are made and dropped by `keepHistory`. Whoever adds a column to one of the
 * three live tables adds it to its history, at the same place, and to its view.
 */
export const history: Migration = {
  up: async (db) => {
    // What moves to history, oldest first.
    await sql`CREATE INDEX job_runs_finished ON job_runs (finished_at) WHERE finished_at IS NOT NULL`.execute(
      db,
    );
    // The few that ended badly, among the many that ended well.
    await sql`CREATE INDEX job_runs_unwell ON job_runs (state, created_at DESC)
      WHERE state IN ('dead', 'cancelled')`.execute(db);

    await sql`
      CREATE TABLE job_runs_history (LIKE job_runs, PRIMARY KEY (id, finished_at))
      PARTITION BY RANGE (finished_at)`.execute(db);
    await sql`CREATE INDEX job_runs_history_engine_job ON job_runs_history (queue, engine_job_id)`.execute(
      db,
    );
    await sql`CREATE INDEX job_runs_history_subject ON job_runs_history (subject, created_at DESC)`.execute(
      db,
    );

    // What lists are asked for by stands in the request itself, since it changes no more: a page is then
    // read from one index, however many rows there are.
    await sql`
      CREATE TABLE job_requests_history (
        LIKE job_requests,
        finished_at timestamptz NOT NULL,
        queue text NOT NULL,
        state text NOT NULL,
        company_id uuid,
        subject text,
        PRIMARY KEY (id, finished_at)
      ) PARTITION BY RANGE (finished_at)`.execute(db);
    const newest = sql`created_at DESC, id DESC`;
    await sql`CREATE INDEX job_requests_history_run ON job_requests_history (run_id)`.execute(db);
    await sql`CREATE INDEX job_requests_history_newest ON job_requests_history (${newest})`.execute(
      db,
    );
    await sql`CREATE INDEX job_requests_history_subject ON job_requests_history (subject, ${newest})`.execute(
      db,
    );
    await sql`CREATE INDEX job_requests_history_queue ON job_requests_history (queue, ${newest})`.execute(
      db,
    );
    await sql`CREATE INDEX job_requests_history_company ON job_requests_history (company_id, ${newest})`.execute(
      db,
    );
    await sql`CREATE INDEX job_requests_history_company_queue
      ON job_requests_history (company_id, queue, ${newest})`.execute(db);
    await sql`CREATE INDEX job_requests_history_unwell ON job_requests_history (state, ${newest})
      WHERE state IN ('dead', 'cancelled')`.execute(db);
    await sql`CREATE INDEX job_requests_history_company_unwell
      ON job_requests_history (company_id, state, ${newest})
      WHERE state IN ('dead', 'cancelled')`.execute(db);

    await sql`
      CREATE TABLE job_attempts_history (LIKE job_attempts, finished_at timestamptz NOT NULL)
      PARTITION BY RANGE (finished_at)`.execute(db);
    await sql`CREATE INDEX job_attempts_history_run ON job_attempts_history (run_id, started_at)`.execute(
      db,
    );

    await sql`
      CREATE VIEW all_job_runs AS
      SELECT * FROM job_runs UNION ALL SELECT * FROM job_runs_history`.execute(db);
    await sql`
      CREATE VIEW all_job_requests AS
      SELECT id, run_id, requested_by, traceparent, joined, created_at, cancelled_at FROM job_requests
      UNION ALL
      SELECT id, run_id, requested_by, traceparent, joined, created_at, cancelled_at
      FROM job_requests_history`.execute(db);
    await sql`
      CREATE VIEW all_job_attempts AS
      SELECT id, run_id, started_at, ended_at, outcome, code, message, stack, next_attempt_at, worker
      FROM job_attempts
      UNION ALL
      SELECT id, run_id, started_at, ended_at, outcome, code, message, stack, next_attempt_at, worker
      FROM job_attempts_history`.execute(db);
  },
};
