import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { QueueOrder } from "./port.ts";

/** Queue `r.queue` is held by an operator: its runs stay rows. */
export const isPaused = sql`EXISTS (
  SELECT 1 FROM queue_states s WHERE s.queue = r.queue AND s.paused)`;

/**
 * What the engine is to be told of its queues: each pause, since a wiped engine has forgotten it, and
 * a resumption until it was told once, since another team may pause a queue for reasons of its own.
 */
export const queueOrders = (db: Queryable): Promise<QueueOrder[]> =>
  db
    .selectFrom("queueStates")
    .select(["queue", "paused"])
    .where((eb) => eb.or([eb("paused", "=", true), eb("engineToldAt", "is", null)]))
    .execute();

/** The engine has obeyed; nothing if the order has changed meanwhile. */
export async function orderTold(db: Queryable, { queue, paused }: QueueOrder): Promise<void> {
  await db
    .updateTable("queueStates")
    .set({ engineToldAt: sql<Date>`now()` })
    .where("queue", "=", queue)
    .where("paused", "=", paused)
    .execute();
}
