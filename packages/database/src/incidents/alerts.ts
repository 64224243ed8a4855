import { sql } from "kysely";
import type { Database, Queryable, Tx } from "../database.ts";
import type { AlertKind } from "../schema.ts";
import { storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";

/** Something people are to be told about an incident, once on each channel. */
export interface NewAlert {
  readonly id: string;
  readonly incidentId: string;
  readonly queue: string;
  readonly kind: AlertKind;
  readonly deathCount: bigint;
}

/** How to ask for the telling, inside the transaction that makes it due. */
export interface Tell {
  alert(tx: Tx, alert: NewAlert): Promise<void>;
  ticket(tx: Tx, incidentId: string): Promise<void>;
}

/** Write an alert down, of an incident that is locked, and ask for it on every channel. */
export async function recordAlert(tx: Tx, alert: NewAlert, tell: Tell): Promise<void> {
  const { id, incidentId, kind, deathCount } = alert;
  await tx.insertInto("alerts").values({ id, incidentId, kind, deathCount }).execute();
  await tell.alert(tx, alert);
}

/**
 * Alert of incidents that an operator resolved and nobody was told of; each resolution once, however many
 * processes look.
 */
export async function tellResolved(
  database: Database,
  {
    limit,
    tell,
    untoldQueues = [],
  }: {
    readonly limit: number;
    readonly tell: Tell;
    readonly untoldQueues?: readonly string[];
  },
): Promise<NewAlert[]> {
  return await database.transaction(async (tx) => {
    const resolved = await tx
      .selectFrom("incidents")
      .select(["id", "queue", "deathCount", "remoteKind"])
      .where("state", "=", "resolved")
      .where(sql<boolean>`resolved_told_at IS DISTINCT FROM resolved_at`)
      .orderBy("id")
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    const alerts: NewAlert[] = [];
    for (const { id, queue, deathCount, remoteKind } of resolved) {
      await tx
        .updateTable("incidents")
        .set(({ ref }) => ({ resolvedToldAt: ref("resolvedAt") }))
        .where("id", "=", id)
        .execute();
      if (remoteKind === null && untoldQueues.includes(queue)) continue;
      const alert = { id: uuidv7(), incidentId: id, queue, kind: "resolved", deathCount } as const;
      await recordAlert(tx, alert, tell);
      alerts.push(alert);
    }
    return alerts;
  });
}

/** An alert with its incident as it stands now, and what was made of that since; `undefined` if it was dropped. */
export async function findAlert(db: Queryable, alertId: string) {
  return await db
    .selectFrom("alerts as a")
    .innerJoin("incidents as i", "i.id", "a.incidentId")
    .select([
      "a.id as alertId",
      "a.kind",
      "a.deathCount as alertedCount",
      "a.createdAt as alertedAt",
      sql<AlertKind[]>`array(
        SELECT l.kind FROM alerts l WHERE l.incident_id = a.incident_id AND l.ordinal > a.ordinal
        ORDER BY l.ordinal)`.as("laterKinds"),
    ])
    .selectAll("i")
    .where("a.id", "=", alertId)
    .executeTakeFirst();
}

/** What the channel answered when it took this alert, or why it was not told; `undefined` if neither is known yet. */
export async function findAlertDelivery(
  db: Queryable,
  alertId: string,
  channel: string,
): Promise<string | undefined> {
  const delivery = await db
    .selectFrom("alertDeliveries")
    .select("response")
    .where("alertId", "=", alertId)
    .where("channel", "=", channel)
    .executeTakeFirst();
  return delivery?.response;
}

/** Write down that a channel took an alert, or that it was overtaken and not sent; what was written first stays. */
export async function recordAlertDelivery(
  db: Queryable,
  delivery: {
    readonly alertId: string;
    readonly channel: string;
    readonly response: string;
    readonly overtaken?: boolean;
  },
): Promise<void> {
  await db
    .insertInto("alertDeliveries")
    .values({ ...delivery, response: storableText(delivery.response) })
    .onConflict((oc) => oc.columns(["alertId", "channel"]).doNothing())
    .execute();
}
