import { sendInvoice } from "@ballast/contracts";
import {
  type Delivery,
  findCompany,
  findCustomer,
  type Invoice,
  isSuppressed,
  listDeliveries,
  nextOrdinal,
  planDelivery,
  redirectDelivery,
  type Tx,
} from "@ballast/database";
import { notFound, Problem } from "../http/problem.ts";

/** The mail that is to be sent, as the ledger has it. */
export interface PlannedMail {
  readonly deliveryId: string;
  readonly recipient: string;
  readonly ordinal: number;
  readonly state: string;
}

/**
 * Write the mail into the ledger, its recipient fixed: the first one of this invoice, or, with a
 * reason, the next. Asked again for the first, it answers with the first, whomever that went to, unless
 * it was cancelled before any worker had it: then it goes to the address the customer has now.
 *
 * @param reason why it is sent again; `null` for the first
 * @throws {Problem} `no-recipient`, `recipient-suppressed`
 */
export async function planMail(
  tx: Tx,
  invoice: Invoice,
  reason: string | null,
): Promise<PlannedMail> {
  const { id: invoiceId, companyId, customerId, revision } = invoice;
  const company = await findCompany(tx, companyId, companyId);
  const customer = await findCustomer(tx, companyId, customerId);
  if (company === undefined || customer === undefined) throw notFound("invoice", invoiceId);

  const mail = { companyId, invoiceId, revision, purpose: "invoice" as const };
  // Locks the invoice, so that of two callers at once the second sees the first's plan.
  const free = await nextOrdinal(tx, { ...mail, recipient: customer.email ?? "" });
  const planned = (await listDeliveries(tx, companyId, invoiceId)).filter(
    (delivery) => delivery.revision === revision && delivery.purpose === mail.purpose,
  );
  const first = planned.find(({ ordinal }) => ordinal === 1);
  if (reason === null && first !== undefined)
    if (first.recipient === customer.email || (await isTaken(tx, invoice, first)))
      return plannedMail(first);

  if (customer.email === null)
    throw new Problem(
      "no-recipient",
      `customer ${customerId} has no email: set one with PUT /v1/customers/${customerId}`,
      { errors: [{ path: "customer.email", message: "is missing" }] },
    );
  const suppressed = await isSuppressed(tx, companyId, customer.email);
  if (suppressed !== undefined)
    throw new Problem(
      "recipient-suppressed",
      `the address of customer ${customerId} gets no mail (${suppressed.reason}): lift it with DELETE /v1/customers/${customerId}/suppression, or give the customer another address`,
      { errors: [{ path: "customer.email", message: "is suppressed" }] },
    );

  // Ordinals count all mails of the invoice, also where the customer's address changed between.
  const highest = Math.max(0, ...planned.map(({ ordinal }) => ordinal));
  const plan = {
    ...mail,
    recipient: customer.email,
    ordinal: reason === null ? 1 : Math.max(free, highest + 1),
    reason,
    fromDomain: company.mailFromAddress.slice(company.mailFromAddress.lastIndexOf("@") + 1),
  };
  const redirected =
    reason === null && first !== undefined
      ? ((await redirectDelivery(tx, first.id, plan)) ?? first)
      : undefined;
  return plannedMail(redirected ?? (await planDelivery(tx, plan)));
}

/** Whether a worker has had the first mail in its hands, or may get it there by a run that is not over. */
async function isTaken(tx: Tx, invoice: Invoice, { state, fence }: Delivery): Promise<boolean> {
  if (state !== "planned" || fence > 0) return true;
  const alive = await runsOfFirstMail(tx, invoice)
    .where("r.state", "in", ["waiting", "started"])
    .select("r.id")
    .executeTakeFirst();
  return alive !== undefined;
}

const plannedMail = ({ id, recipient, ordinal, state }: Delivery): PlannedMail => ({
  deliveryId: id,
  recipient,
  ordinal,
  state,
});

/**
 * The request that first asked for the invoice's first mail, unless it was cancelled; `undefined` too
 * where it is so old that the journal forgot it: the ledger then keeps a new one from sending twice.
 */
export async function firstSend(tx: Tx, invoice: Invoice) {
  return await runsOfFirstMail(tx, invoice)
    .innerJoin("allJobRequests as q", "q.runId", "r.id")
    .select((eb) => [
      "q.id as requestId",
      "q.runId",
      "q.joined",
      // It waits for its document.
      eb.and([eb("r.state", "=", "waiting"), eb("r.heldFor", "is not", null)]).as("isHeld"),
    ])
    .where("r.state", "<>", "cancelled")
    .where("q.cancelledAt", "is", null)
    .orderBy("q.createdAt")
    .orderBy("q.id")
    .executeTakeFirst();
}

const runsOfFirstMail = (tx: Tx, { id, companyId, revision }: Invoice) =>
  tx
    .selectFrom("allJobRuns as r")
    .where("r.companyId", "=", companyId)
    .where("r.subject", "=", `invoice:${id}`)
    .where("r.job", "=", sendInvoice.name)
    .where((eb) => eb(eb.ref("r.payload", "->>").key("revision" as never), "=", String(revision)))
    .where((eb) => eb(eb.ref("r.payload", "->>").key("ordinal" as never), "=", "1"));
