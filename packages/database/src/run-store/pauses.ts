import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { QueueOrder } from "./port.ts";

/** Queue `r.queue` is held by an operator: its runs stay rows. */
export const isPaused = sql`EXISTS (
  SELECT 1 FROM queue_states s WHERE s.queue = r.queue AND s.paused)`;

/**
 * What the engine is to be told of its queues: each pause, since a wiped engine has forgotten it, and
 * a resumption until it was told a minute after it was ordered: a pause from before may be under way until then.
 * Not for ever, since another team may pause a queue for reasons of its own.
 */
export const queueOrders = (db: Queryable): Promise<QueueOrder[]> =>
  db
    .selectFrom("queueStates")
    .select(["queue", "paused"])
    .where(
      sql<boolean>`paused OR engine_told_at IS NULL OR engine_told_at < changed_at + interval '1 minute'`,
    )
    .execute();

/**
 * The engine has obeyed. If the order has changed meanwhile, it is to be told the new one again, whoever has done so:
 * this one may have come to it later.
 */
export async function orderTold(db: Queryable, { queue, paused }: QueueOrder): Promise<void> {
  await db
    .updateTable("queueStates")
    .set({ engineToldAt: sql<Date | null>`CASE WHEN paused = ${paused} THEN now() END` })
    .where("queue", "=", queue)
    .execute();
}
