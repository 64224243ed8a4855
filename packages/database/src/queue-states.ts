import { sql } from "kysely";
import type { Queryable, Tx } from "./database.ts";
import { notifyDispatchers } from "./run-store/wake.ts";
import { storableText } from "./storable.ts";

/** Whether an operator holds a queue, and why; a queue that nobody ever paused has none. */
export interface QueuePause {
  readonly queue: string;
  readonly paused: boolean;
  readonly reason: string;
  readonly changedBy: string;
  readonly changedAt: Date;
}

export type QueuePauseChange = Omit<QueuePause, "changedAt">;

/**
 * Pause or resume a queue inside the caller's transaction: from its commit on no run of a paused queue
 * is handed over. The engine is told afterwards, and again by the reconciler for as long as it was not.
 */
export async function setQueuePaused(tx: Tx, change: QueuePauseChange): Promise<QueuePause> {
  const { queue, ...values } = {
    ...change,
    reason: storableText(change.reason),
    changedAt: sql<Date>`now()`,
    engineToldAt: null,
  };
  const changed = await tx
    .insertInto("queueStates")
    .values({ queue, ...values })
    .onConflict((oc) => oc.column("queue").doUpdateSet(values))
    .returningAll()
    .executeTakeFirstOrThrow();
  if (!change.paused) await notifyDispatchers(tx);
  return changed;
}

export const findQueuePause = (db: Queryable, queue: string): Promise<QueuePause | undefined> =>
  db.selectFrom("queueStates").selectAll().where("queue", "=", queue).executeTakeFirst();

/** Of every queue that was ever paused, by name. */
export const listQueuePauses = (db: Queryable): Promise<QueuePause[]> =>
  db.selectFrom("queueStates").selectAll().orderBy("queue").execute();

/** What the journal knows of one queue. */
export interface QueueFigures {
  readonly queue: string;
  /** Runs that may be handed to the engine and are not yet. */
  readonly pending: number;
  /** When the oldest of those could have begun. */
  readonly oldestPendingAt: Date | null;
  /** Runs the engine has and no worker has begun. */
  readonly handedOver: number;
  readonly started: number;
  /** Held for something, or due later. */
  readonly notYet: number;
  readonly openLetters: number;
}

/** Figures of every queue that has live runs or open letters, by name. */
export async function listQueueFigures(db: Queryable): Promise<QueueFigures[]> {
  const { rows } = await sql<QueueFigures>`
    WITH runs AS (
      SELECT queue,
        count(*) FILTER (WHERE state = 'waiting' AND handed_at IS NULL AND is_ripe)::int AS pending,
        min(coalesce(due_at, created_at))
          FILTER (WHERE state = 'waiting' AND handed_at IS NULL AND is_ripe) AS oldest_pending_at,
        count(*) FILTER (WHERE state = 'waiting' AND handed_at IS NOT NULL)::int AS handed_over,
        count(*) FILTER (WHERE state = 'started')::int AS started,
        count(*) FILTER (WHERE state = 'waiting' AND handed_at IS NULL AND NOT is_ripe)::int AS not_yet
      FROM (
        SELECT *, held_for IS NULL AND (due_at IS NULL OR due_at <= now()) AS is_ripe FROM job_runs
        WHERE state IN ('waiting', 'started')
      ) live
      GROUP BY queue
    ), letters AS (
      SELECT queue, count(*)::int AS open_letters FROM dead_letters WHERE state = 'open' GROUP BY queue
    )
    SELECT queue, coalesce(pending, 0) AS pending, oldest_pending_at,
      coalesce(handed_over, 0) AS handed_over, coalesce(started, 0) AS started,
      coalesce(not_yet, 0) AS not_yet, coalesce(open_letters, 0) AS open_letters
    FROM runs FULL JOIN letters USING (queue)
    ORDER BY queue`.execute(db);
  return rows;
}
