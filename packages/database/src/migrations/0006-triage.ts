import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Queues that operators paused, and replays of many letters at a measured pace. */
export const triage: Migration = {
  up: async (db) => {
    await sql`
      CREATE TABLE queue_states (
        queue text PRIMARY KEY,
        paused boolean NOT NULL,
        reason text NOT NULL,
        changed_by text NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        -- When the engine obeyed the last change.
        engine_told_at timestamptz
      )`.execute(db);

    await sql`
      CREATE TABLE replays (
        id uuid PRIMARY KEY,
        queue text NOT NULL,
        company_id uuid,
        filter jsonb NOT NULL,
        rate_per_second real NOT NULL CHECK (rate_per_second > 0),
        canary_count int NOT NULL CHECK (canary_count >= 0),
        stop_share real NOT NULL CHECK (stop_share > 0 AND stop_share <= 1),
        reason text NOT NULL,
        requested_by text NOT NULL,
        state text NOT NULL DEFAULT 'canary'
          CHECK (state IN ('canary', 'running', 'stopped', 'cancelled', 'completed')),
        stop_reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- What ended since it was begun, or resumed, decides whether it goes on.
        judged_from timestamptz NOT NULL DEFAULT now(),
        -- What the pace is reckoned from; moves when the replay is resumed.
        paced_from timestamptz,
        paced_count int NOT NULL DEFAULT 0,
        finished_at timestamptz,
        -- One replica drives it at a time.
        driver uuid,
        driven_until timestamptz,
        CHECK ((state IN ('stopped', 'cancelled', 'completed')) = (finished_at IS NOT NULL))
      )`.execute(db);
    await sql`CREATE UNIQUE INDEX replays_one_per_queue ON replays (queue) WHERE state IN ('canary', 'running')`.execute(
      db,
    );
    await sql`CREATE INDEX replays_newest ON replays (created_at DESC, id DESC)`.execute(db);

    // The letters as they were when the replay was asked for, so that it can be resumed at any time.
    await sql`
      CREATE TABLE replay_letters (
        replay_id uuid NOT NULL REFERENCES replays ON DELETE CASCADE,
        run_id uuid NOT NULL,
        position int NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'replayed', 'skipped')),
        skip_code text,
        skip_message text,
        new_run_id uuid,
        done_at timestamptz,
        PRIMARY KEY (replay_id, run_id)
      )`.execute(db);
    await sql`CREATE INDEX replay_letters_pending ON replay_letters (replay_id, position) WHERE state = 'pending'`.execute(
      db,
    );
    // From a run to the letters it is to make good: how the chain of replays is read backwards.
    await sql`CREATE INDEX dead_letters_replayed_as ON dead_letters (replay_run_id) WHERE replay_run_id IS NOT NULL`.execute(
      db,
    );
    // Mails that nobody knows the end of, to be found among all that went well.
    await sql`CREATE INDEX email_deliveries_uncertain ON email_deliveries (created_at DESC, id DESC)
      WHERE state IN ('unknown', 'sending')`.execute(db);
    await sql`CREATE INDEX email_deliveries_newest ON email_deliveries (created_at DESC, id DESC)`.execute(
      db,
    );
    await sql`CREATE INDEX replay_letters_new_run ON replay_letters (new_run_id) WHERE new_run_id IS NOT NULL`.execute(
      db,
    );
  },
};
