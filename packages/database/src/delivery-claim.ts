import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { Delivery, DraftedDelivery } from "./deliveries.ts";
import { list } from "./list.ts";
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
      leaseUntil: leaseEnd(leaseMs),
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
  // Whoever holds one of them is not waited for: two that claim several could wait for each other.
  const { rows } = await sql<{ id: string; fence: number }>`
    UPDATE email_deliveries SET state = 'sending', fence = fence + 1, lease_until = ${leaseEnd(leaseMs)}
    WHERE id IN (
      SELECT d.id FROM unnest(${list("uuid", ids)}) AS t (id) JOIN email_deliveries d ON d.id = t.id
      WHERE d.state = 'planned' FOR UPDATE OF d SKIP LOCKED)
    RETURNING id, fence`.execute(db);
  return new Map(rows.map(({ id, fence }) => [id, fence]));
}

/**
 * Write mails into the ledger that it does not have, claimed from the start: one commit less than to plan them first.
 *
 * @returns the ids of those that this caller alone may send, under {@link FIRST_FENCE}; the others are in the ledger by now
 */
export async function claimDrafts(
  db: Queryable,
  drafts: readonly DraftedDelivery[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const all = (key: keyof DraftedDelivery) => drafts.map((draft) => draft[key]);
  // In an order that everybody keeps, so that two who write the same mails never wait for each other.
  const { rows } = await sql<{ id: string }>`
    INSERT INTO email_deliveries (company_id, invoice_id, revision, purpose, ordinal, recipient, id, reason,
      message_id, state, fence, lease_until)
    SELECT DISTINCT ON (t.company_id, t.invoice_id, t.revision, t.purpose, t.ordinal) t.*,
      'sending', ${FIRST_FENCE}::int, ${leaseEnd(leaseMs)}
    FROM unnest(${list("uuid", all("companyId"))}, ${list("uuid", all("invoiceId"))},
      ${list("int", all("revision"))}, ${list("text", all("purpose"))}, ${list("int", all("ordinal"))},
      ${list("text", all("recipient"))}, ${list("uuid", all("id"))}, ${list("text", all("reason"))},
      ${list("text", all("messageId"))})
      AS t (company_id, invoice_id, revision, purpose, ordinal, recipient, id, reason, message_id)
    WHERE NOT EXISTS ( -- to whomever
      SELECT FROM email_deliveries d WHERE d.company_id = t.company_id AND d.invoice_id = t.invoice_id
        AND d.revision = t.revision AND d.purpose = t.purpose AND d.ordinal = t.ordinal)
    ORDER BY t.company_id, t.invoice_id, t.revision, t.purpose, t.ordinal
    ON CONFLICT DO NOTHING RETURNING id`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** Of a mail that was written claimed. */
export const FIRST_FENCE = 1;

const leaseEnd = (leaseMs: number) => sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`;

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
  const all = (key: keyof SentMail) => mails.map((mail) => mail[key]);
  const { rows } = await sql<{ id: string }>`
    UPDATE email_deliveries d SET state = 'sent', response = t.response, sent_at = now(), error_code = NULL,
      error_message = NULL, lease_until = NULL
    FROM unnest(${list("uuid", all("id"))}, ${list("int", all("fence"))}, ${list("text", all("response"))})
      AS t (id, fence, response)
    WHERE d.id = t.id AND d.fence = t.fence
      -- Said so that it is found by its id: the index of what is uncertain holds each mail until it is vacuumed.
      AND d.state NOT IN ('planned', 'sent', 'rejected', 'suppressed')
    RETURNING d.id`.execute(db);
  const ids = new Set(rows.map(({ id }) => id));
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
