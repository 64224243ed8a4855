import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What a bulk replay knows of each letter, and the order in which a queue was paused and resumed. */
export const triageFollowUp: Migration = {
  up: async (db) => {
    await sql`
      ALTER TABLE replay_letters
        -- A run of the same slot was there already and does the work.
        ADD COLUMN joined boolean NOT NULL DEFAULT false,
        -- Whether the new run died of the cause that the letter died of, where the notifier did not say it first.
        ADD COLUMN died_again boolean`.execute(db);
    await sql`CREATE INDEX replays_finished ON replays (finished_at) WHERE finished_at IS NOT NULL`.execute(
      db,
    );
  },
};
