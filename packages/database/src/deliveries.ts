import { createHash } from "node:crypto";
import type { Selectable } from "kysely";
import type { Queryable, Tx } from "./database.ts";
import type { ReminderStep } from "./reminders/settings.ts";
import type { Schema } from "./schema.ts";
import type { CompanyScope } from "./scope.ts";
import { uuidv7 } from "./uuidv7.ts";

/** One mail in the ledger: planned, claimed for sending, and what became of it. */
export type Delivery = Readonly<Selectable<Schema["emailDeliveries"]>>;

/** Why a mail is sent; a reminder names the due date that it is about. */
export type MailPurpose = "invoice" | `reminder-${ReminderStep}:${string}`;

/** What makes a mail this mail. Sending again is the same with the next ordinal. */
export interface DeliveryIdentity {
  readonly companyId: string;
  readonly invoiceId: string;
  readonly revision: number;
  readonly purpose: MailPurpose;
  /** One address; its case is kept, since some servers tell `A@` from `a@`. */
  readonly recipient: string;
  /** From 1; each deliberate resend takes the next. */
  readonly ordinal: number;
}

export interface PlannedDelivery extends DeliveryIdentity {
  /** Why it is sent again; `null` for ordinal 1. */
  readonly reason: string | null;
  /** Domain of the sender's address, the right half of the Message-ID. */
  readonly fromDomain: string;
}

/** A mail that the ledger does not have: its row is written once somebody plans or claims it. */
export interface DraftedDelivery extends PlannedDelivery {
  readonly id: string;
  readonly messageId: string;
}

export const draftDelivery = (plan: PlannedDelivery): DraftedDelivery => ({
  ...plan,
  id: uuidv7(),
  messageId: deliveryMessageId(plan, plan.fromDomain),
});

/** Get the ledger's row for this mail, or make it. Safe to call from any number of places at once. */
export async function planDelivery(tx: Queryable, plan: PlannedDelivery): Promise<Delivery> {
  const { id, messageId, reason } = draftDelivery(plan);
  const identity = identityColumns(plan);
  const created = await tx
    .insertInto("emailDeliveries")
    .values({ id, ...identity, reason, messageId })
    .onConflict((oc) => oc.doNothing())
    .returningAll()
    .executeTakeFirst();
  return created ?? (await deliveryOf(tx, identity));
}

async function deliveryOf(tx: Queryable, identity: DeliveryIdentity): Promise<Delivery> {
  let query = tx.selectFrom("emailDeliveries").selectAll();
  for (const [column, value] of Object.entries(identity))
    query = query.where(column as keyof DeliveryIdentity, "=", value);
  return await query.executeTakeFirstOrThrow();
}

/**
 * Give a planned mail another recipient, and the Message-ID that follows from it.
 *
 * @returns `undefined`, and nothing is changed, if a sender has ever claimed it
 * @throws SQLSTATE 23505 if that recipient has a mail of this ordinal already
 */
export async function redirectDelivery(
  tx: Queryable,
  id: string,
  plan: PlannedDelivery,
): Promise<Delivery | undefined> {
  return await tx
    .updateTable("emailDeliveries")
    .set({ recipient: plan.recipient, messageId: deliveryMessageId(plan, plan.fromDomain) })
    .where("id", "=", id)
    .where("state", "=", "planned")
    .where("fence", "=", 0)
    .returningAll()
    .executeTakeFirst();
}

/** The ordinal of a resend. Two callers at once get different ones: the invoice stays locked until `tx` ends. */
export async function nextOrdinal(
  tx: Tx,
  mail: Omit<DeliveryIdentity, "ordinal">,
): Promise<number> {
  await tx
    .selectFrom("invoices")
    .select("id")
    .where("id", "=", mail.invoiceId)
    .forNoKeyUpdate()
    .execute();
  const { highest } = await tx
    .selectFrom("emailDeliveries")
    .select((eb) => eb.fn.coalesce(eb.fn.max("ordinal"), eb.lit(0)).as("highest"))
    .where("companyId", "=", mail.companyId)
    .where("invoiceId", "=", mail.invoiceId)
    .where("revision", "=", mail.revision)
    .where("purpose", "=", mail.purpose)
    .where("recipient", "=", mail.recipient)
    .executeTakeFirstOrThrow();
  return highest + 1;
}

export async function findDelivery(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Delivery | undefined> {
  return await db
    .selectFrom("emailDeliveries")
    .selectAll()
    .where("id", "=", id)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .executeTakeFirst();
}

/** All mails of an invoice, oldest first. */
export async function listDeliveries(
  db: Queryable,
  scope: CompanyScope,
  invoiceId: string,
): Promise<Delivery[]> {
  return await db
    .selectFrom("emailDeliveries")
    .selectAll()
    .where("invoiceId", "=", invoiceId)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .orderBy("createdAt")
    .orderBy("ordinal")
    .execute();
}

/**
 * The Message-ID of a mail: the same mail always has the same, so that receivers can drop a double.
 *
 * @returns e.g. `<ballast.0f3a…@example.com>`, with 32 hex digits
 */
export function deliveryMessageId(identity: DeliveryIdentity, fromDomain: string): string {
  const key = JSON.stringify(Object.values(identityColumns(identity)));
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return `<ballast.${digest}@${fromDomain}>`;
}

const identityColumns = (identity: DeliveryIdentity): DeliveryIdentity => ({
  companyId: identity.companyId,
  invoiceId: identity.invoiceId,
  revision: identity.revision,
  purpose: identity.purpose,
  recipient: identity.recipient,
  ordinal: identity.ordinal,
});
