import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { Delivery } from "./deliveries.ts";
import type { DeliveryState } from "./schema.ts";

export type Claim =
  /** This caller alone may send, until its lease ends; `fence` signs what it records. */
  | { readonly kind: "claimed"; readonly fence: number }
  /** Somebody else is sending. */
  | { readonly kind: "busy"; readonly leaseUntil: Date }
  | { readonly kind: "sent" | "rejected" | "unknown" | "suppressed"; readonly row: Delivery };

/**
 * Claim a planned mail for sending.
 *
 * A claim whose lease ran out without a word is *unknown* from then on: its mail may have left, so
 * it is not sent again by anybody but a person who asks for the next ordinal.
 *
 * @param leaseMs longer than a sending may take
 * @throws {DeliveryNotFoundError}
 */
export async function claimSending(db: Queryable, id: string, leaseMs: number): Promise<Claim> {
  const claimed = await db
    .updateTable("emailDeliveries")
    .set((eb) => claim(eb("fence", "+", 1), leaseMs))
    .where("id", "=", id)
    .where("state", "=", "planned")
    .returning("fence")
    .executeTakeFirst();
  if (claimed !== undefined) return { kind: "claimed", fence: claimed.fence };

  await expireLease(db, id);
  const row = await db
    .selectFrom("emailDeliveries")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new DeliveryNotFoundError(id);
  switch (row.state) {
    case "planned": // handed back between the two statements: whoever comes next takes it
      return { kind: "busy", leaseUntil: new Date() };
    case "sending":
      return { kind: "busy", leaseUntil: row.leaseUntil ?? new Date() };
    default:
      return { kind: row.state, row };
  }
}

/**
 * Claim many planned mails in one statement, each once.
 *
 * @returns the fences of those that were free, by id; {@link claimSending} says what is with the others
 */
export async function claimAll(
  db: Queryable,
  ids: readonly string[],
  leaseMs: number,
): Promise<ReadonlyMap<string, number>> {
  const claimed = await db
    .updateTable("emailDeliveries")
    .set((eb) => claim(eb("fence", "+", 1), leaseMs))
    // Whoever holds one of them is not waited for: two that claim several could wait for each other.
    .where("id", "in", (eb) =>
      eb
        .selectFrom("emailDeliveries")
        .select("id")
        .where("id", "in", ids)
        .where("state", "=", "planned")
        .forUpdate()
        .skipLocked(),
    )
    .returning(["id", "fence"])
    .execute();
  return new Map(claimed.map(({ id, fence }) => [id, fence]));
}

const claim = <T>(fence: T, leaseMs: number) => ({
  state: "sending" as const,
  fence,
  leaseUntil: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`,
});

async function expireLease(db: Queryable, id: string): Promise<void> {
  await db
    .updateTable("emailDeliveries")
    .set({
      state: "unknown",
      leaseUntil: null,
      errorCode: "lease_expired",
      errorMessage: "the sender stopped without a word: the mail may or may not have left",
    })
    .where("id", "=", id)
    .where("state", "=", "sending")
    .where("leaseUntil", "<=", sql<Date>`now()`)
    .execute();
}

/** Give a claim back; only while nothing irreversible has happened. @returns whether the claim was still ours */
export const releaseClaim = (db: Queryable, id: string, fence: number): Promise<boolean> =>
  settle(db, id, fence, { state: "planned" });

/**
 * Record that the server took the mail.
 *
 * Also after the lease ran out: the claim's holder knows better than "unknown".
 *
 * @param response the server's last words, e.g. `250 2.0.0 Ok: queued as …`
 * @returns whether it was recorded; `false` if the claim is not this one
 */
export const markSent = (
  db: Queryable,
  id: string,
  fence: number,
  { response, messageId }: { response: string; messageId?: string },
): Promise<boolean> =>
  settle(db, id, fence, {
    state: "sent",
    response,
    sentAt: sql<Date>`now()`,
    errorCode: null,
    errorMessage: null,
    ...(messageId === undefined ? {} : { messageId }),
  });

export interface SentMail {
  readonly id: string;
  readonly fence: number;
  readonly response: string;
}

/** As {@link markSent}, of many in one statement, in their order. */
export async function markSentAll(db: Queryable, mails: readonly SentMail[]): Promise<boolean[]> {
  const told = sql<SentMail>`(SELECT * FROM unnest(
    ${mails.map(({ id }) => id)}::uuid[], ${mails.map(({ fence }) => fence)}::int[],
    ${mails.map(({ response }) => response)}::text[]) AS t (id, fence, response))`.as<"told">(
    "told",
  );
  const sent = await db
    .updateTable("emailDeliveries as mail")
    .from(told)
    .set((eb) => ({
      state: "sent" as const,
      response: eb.ref("told.response"),
      sentAt: sql<Date>`now()`,
      errorCode: null,
      errorMessage: null,
      leaseUntil: null,
    }))
    .whereRef("mail.id", "=", "told.id")
    .whereRef("mail.fence", "=", "told.fence")
    .where("mail.state", "in", MAY_END)
    .returning("mail.id")
    .execute();
  const ids = new Set(sent.map(({ id }) => id));
  return mails.map(({ id }) => ids.has(id));
}

export interface DeliveryFailure {
  readonly code: string;
  readonly message: string;
  /** The server's words, if it had any. */
  readonly response?: string;
}

/** Record that the server refused the mail for good. @returns as {@link markSent} */
export const markRejected = (db: Queryable, id: string, fence: number, failure: DeliveryFailure) =>
  settle(db, id, fence, failed("rejected", failure));

/** Record that nobody knows whether the mail left. @returns as {@link markSent} */
export const markUnknown = (db: Queryable, id: string, fence: number, failure: DeliveryFailure) =>
  settle(db, id, fence, failed("unknown", failure));

/** Record that the recipient is on the suppression list. @returns as {@link markSent} */
export const markSuppressed = (db: Queryable, id: string, fence: number, reason: string) =>
  settle(db, id, fence, failed("suppressed", { code: "suppressed", message: reason }));

const failed = (state: "rejected" | "unknown" | "suppressed", failure: DeliveryFailure) => ({
  state,
  errorCode: failure.code,
  errorMessage: failure.message,
  response: failure.response ?? null,
});

/** A claim that lapsed into "unknown" may still learn its end, but may not be planned again. */
const MAY_END: readonly DeliveryState[] = ["sending", "unknown"];

/** Leave `sending` by compare-and-set on the fence: a claim that is not ours is not touched. */
async function settle(
  db: Queryable,
  id: string,
  fence: number,
  change: { state: DeliveryState } & Record<string, unknown>,
): Promise<boolean> {
  const from: readonly DeliveryState[] = change.state === "planned" ? ["sending"] : MAY_END;
  const { numUpdatedRows } = await db
    .updateTable("emailDeliveries")
    .set({ ...change, leaseUntil: null })
    .where("id", "=", id)
    .where("fence", "=", fence)
    .where("state", "in", from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export class DeliveryNotFoundError extends Error {
  override readonly name = "DeliveryNotFoundError";

  constructor(id: string) {
    super(`no email delivery ${id}`);
  }
}
