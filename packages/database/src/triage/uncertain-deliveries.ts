import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { Delivery } from "../deliveries.ts";
import type { DeliveryState } from "../schema.ts";
import type { CompanyScope } from "../scope.ts";
import { storableText } from "../storable.ts";

export interface DeliveryFilter {
  readonly state?: DeliveryState;
  readonly invoiceId?: string;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A sender that stopped without a word: its mail is as unknown as one that is marked so. */
const leaseIsOver = sql<boolean>`(state = 'sending' AND lease_until <= now())`;

/** Mails in scope, the one planned last first. `nextCursor` is `null` on the last page. */
export async function findDeliveries(
  db: Queryable,
  scope: CompanyScope,
  { state, invoiceId, limit = 50, cursor }: DeliveryFilter = {},
): Promise<{ deliveries: Delivery[]; nextCursor: string | null }> {
  let query = db.selectFrom("emailDeliveries").selectAll();
  if (scope !== "all") query = query.where("companyId", "=", scope);
  if (invoiceId !== undefined) query = query.where("invoiceId", "=", invoiceId);
  if (state === "unknown")
    // Said so that the index of what is uncertain serves it.
    query = query.where(
      sql<boolean>`state IN ('unknown', 'sending') AND (state = 'unknown' OR ${leaseIsOver})`,
    );
  else if (state === "sending")
    query = query.where("state", "=", state).where(sql<boolean>`NOT ${leaseIsOver}`);
  else if (state !== undefined) query = query.where("state", "=", state);
  if (cursor !== undefined)
    query = query.where(
      sql<boolean>`(created_at, id) < (SELECT created_at, id FROM email_deliveries
        WHERE id = ${cursor} AND ${scope === "all" ? sql`true` : sql`company_id = ${scope}::uuid`})`,
    );
  const rows = await query
    .orderBy("createdAt", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const now = new Date();
  const deliveries = rows.slice(0, limit).map((row) => asItIs(row, now));
  return { deliveries, nextCursor: rows.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
}

const asItIs = (row: Delivery, now: Date): Delivery =>
  row.state === "sending" && row.leaseUntil !== null && row.leaseUntil <= now
    ? { ...row, state: "unknown", leaseUntil: null, errorCode: "lease_expired" }
    : row;

/** One mail, locked until `tx` ends; a claim that lapsed without a word is unknown from now on. */
export async function lockDelivery(
  tx: Tx,
  scope: CompanyScope,
  id: string,
): Promise<Delivery | undefined> {
  const row = await tx
    .selectFrom("emailDeliveries")
    .selectAll()
    .where("id", "=", id)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .forUpdate()
    .executeTakeFirst();
  return row && asItIs(row, new Date());
}

/**
 * Write down how a mail ended that nobody knew the end of, as somebody found out: it arrived, or it
 * never did and may be sent, under the Message-ID it has. A sender that was thought dead and reports
 * after this is not heard: what a person found out counts.
 *
 * @param by who says so
 */
export async function settleUncertain(
  tx: Tx,
  delivery: Delivery,
  { outcome, by, reason }: { outcome: "sent" | "not-sent"; by: string; reason: string },
): Promise<Delivery> {
  const isSent = outcome === "sent";
  return await tx
    .updateTable("emailDeliveries")
    .set((eb) => ({
      state: isSent ? "sent" : "planned",
      fence: eb("fence", "+", 1),
      leaseUntil: null,
      sentAt: isSent ? sql<Date>`now()` : null,
      response: isSent ? storableText(`${by} found that it arrived: ${reason}`) : null,
      errorCode: null,
      errorMessage: null,
    }))
    .where("id", "=", delivery.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Open letters of runs that were to send this mail, the first death first. */
export async function openLettersOfMail(
  tx: Tx,
  { companyId }: Delivery,
  job: {
    readonly queue: string;
    readonly name: string;
    /** What of its payload makes it this mail's. */
    readonly payload: object;
    readonly ordinal: number;
  },
): Promise<string[]> {
  const letters = await tx
    .selectFrom("deadLetters")
    .select("runId")
    // Another team's job may have named no company.
    .where((eb) => eb.or([eb("companyId", "=", companyId), eb("companyId", "is", null)]))
    .where("queue", "=", job.queue)
    .where("job", "=", job.name)
    .where("state", "=", "open")
    .where(sql<boolean>`payload @> ${JSON.stringify(job.payload)}::jsonb
      AND coalesce(payload ->> 'ordinal', '1') = ${String(job.ordinal)}`)
    .orderBy("diedAt")
    .orderBy("runId")
    .execute();
  return letters.map(({ runId }) => runId);
}
