import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import { storableText } from "../storable.ts";
import type { Replay } from "./replays.ts";

/**
 * Take the replays that nobody drives, and go on with one's own: of any number of processes one drives
 * each. All at once, or one that waits for a paused queue would keep those of other queues waiting.
 * A pace begins anew with its driver, so that a pause is never made up for in a burst.
 */
export async function claimReplays(
  db: Queryable,
  driver: string,
  leaseMs: number,
): Promise<Replay[]> {
  const { rows } = await sql<Replay>`
    UPDATE replays SET
      driven_until = now() + ${leaseMs} * interval '1 millisecond',
      paced_from = CASE WHEN driver = ${driver} THEN paced_from END,
      paced_count = CASE WHEN driver = ${driver} THEN paced_count ELSE 0 END,
      driver = ${driver}
    WHERE id IN (
      SELECT id FROM replays
      WHERE state IN ('canary', 'running')
        AND (driver IS NULL OR driver = ${driver} OR driven_until < now())
      FOR UPDATE SKIP LOCKED)
    RETURNING *`.execute(db);
  return rows;
}

/** Begin to reckon the pace from now. */
export async function beginPace(db: Queryable, id: string, driver: string): Promise<void> {
  await db
    .updateTable("replays")
    .set({ pacedFrom: sql<Date>`now()`, pacedCount: 0 })
    .where("id", "=", id)
    .where("driver", "=", driver)
    .execute();
}

/** The letters that come next, in their order. */
export async function nextLetters(db: Queryable, id: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("replayLetters")
    .select("runId")
    .where("replayId", "=", id)
    .where("state", "=", "pending")
    .orderBy("position")
    .limit(limit)
    .execute();
  return rows.map(({ runId }) => runId);
}

/**
 * Whether this driver still has a say, for as long as the transaction lasts: who cancels it, or takes over,
 * waits for its end. Shared, so that several letters are dealt with side by side.
 */
export async function stillDriving(tx: Tx, id: string, driver: string): Promise<boolean> {
  const row = await tx
    .selectFrom("replays")
    .select("id")
    .where("id", "=", id)
    .where("driver", "=", driver)
    .where("state", "in", ["canary", "running"])
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** Count letters towards the pace. */
export async function countPaced(
  db: Queryable,
  id: string,
  driver: string,
  count: number,
): Promise<void> {
  await db
    .updateTable("replays")
    .set((eb) => ({ pacedCount: eb("pacedCount", "+", count) }))
    .where("id", "=", id)
    .where("driver", "=", driver)
    .execute();
}

export type LetterDone =
  | { readonly state: "replayed"; readonly newRunId: string; readonly joined: boolean }
  | { readonly state: "skipped"; readonly skipCode: string; readonly skipMessage: string };

export async function letterDone(
  tx: Tx,
  replayId: string,
  runId: string,
  done: LetterDone,
): Promise<void> {
  await tx
    .updateTable("replayLetters")
    .set({
      ...done,
      ...("skipMessage" in done ? { skipMessage: storableText(done.skipMessage) } : {}),
      doneAt: sql<Date>`now()`,
    })
    .where("replayId", "=", replayId)
    .where("runId", "=", runId)
    .execute();
}
