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
    .set((eb) => ({
      state: "sending",
      fence: eb("fence", "+", 1),
      leaseUntil: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`,
    }))
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

/** Leave `sending` by compare-and-set on the fence: a claim that is not ours is not touched. */
async function settle(
  db: Queryable,
  id: string,
  fence: number,
  change: { state: DeliveryState } & Record<string, unknown>,
): Promise<boolean> {
  // A claim that lapsed into "unknown" may still learn its end, but may not be planned again.
  const from: DeliveryState[] = change.state === "planned" ? ["sending"] : ["sending", "unknown"];
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
