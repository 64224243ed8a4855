import { type PayloadOf, paymentReminder, sendInvoice } from "@ballast/contracts";
import {
  type CompanyScope,
  type Delivery,
  findInvoiceHead,
  type Letter,
  listActions,
  lockDelivery,
  lockLetter,
  openLettersOfMail,
  recordAction,
  settleUncertain,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { notFound, Problem } from "../http/problem.ts";
import { discardLetter } from "./discard-letter.ts";
import { planReplay } from "./plan-replay.ts";
import { replayLetter } from "./replay-letter.ts";

/** What somebody found out about a mail, and who. */
export interface Finding {
  readonly outcome: "sent" | "not-sent";
  readonly by: string;
  readonly reason: string;
  readonly traceparent: string | null;
}

export interface SettledDelivery {
  readonly delivery: Delivery;
  readonly letters: ReadonlyArray<{ letterId: string; state: "replayed" | "discarded" }>;
  readonly requestId: string | null;
}

/**
 * Settle a mail of which nobody knew whether it left, and the letters of the runs that died of it, in
 * one transaction: one that arrived needs nothing more; one that did not is sent, under its Message-ID.
 *
 * @throws {Problem} `not-found`, `delivery-settled`
 */
export async function settleDelivery(
  tx: Tx,
  requests: Requests<Tx>,
  scope: CompanyScope,
  deliveryId: string,
  finding: Finding,
): Promise<SettledDelivery> {
  const before = await lockDelivery(tx, scope, deliveryId);
  if (before === undefined) throw notFound("delivery", deliveryId);
  if (before.state !== "unknown") throw await known(tx, before);
  const delivery = await settleUncertain(tx, before, finding);
  await recordAction(tx, {
    actor: finding.by,
    action: "settle-delivery",
    targetKind: "delivery",
    targetId: deliveryId,
    companyId: delivery.companyId,
    subject: `invoice:${delivery.invoiceId}`,
    reason: finding.reason,
    before: { state: before.state, error: before.errorMessage },
    after: { state: delivery.state },
  });
  const open = await openLetters(tx, delivery);
  if (finding.outcome === "sent") {
    const reason = `its mail arrived: ${finding.reason}`;
    for (const letter of open) await discardLetter(tx, letter, { by: finding.by, reason });
    return { delivery, letters: told(open, "discarded"), requestId: null };
  }
  const replayable = open.filter(isReplayable);
  let requestId: string | undefined;
  for (const letter of replayable) {
    const replayed = await replayLetter(tx, requests, letter, finding);
    requestId ??= replayed.requestId;
  }
  requestId ??= await askToSend(tx, requests, delivery, finding);
  return { delivery, letters: told(replayable, "replayed"), requestId };
}

async function openLetters(tx: Tx, delivery: Delivery): Promise<Letter[]> {
  const letters: Letter[] = [];
  for (const letterId of await openLettersOfMail(tx, delivery, workOf(delivery))) {
    const letter = await lockLetter(tx, "all", letterId);
    if (letter?.state === "open") letters.push(letter);
  }
  return letters;
}

const told = <State extends "replayed" | "discarded">(letters: readonly Letter[], state: State) =>
  letters.map(({ runId }) => ({ letterId: runId, state }));

function isReplayable(letter: Letter): boolean {
  try {
    planReplay(letter);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** Nobody else would: the run that was to send it is over, and its letter was dealt with. */
async function askToSend(
  tx: Tx,
  requests: Requests<Tx>,
  delivery: Delivery,
  { by, traceparent }: Finding,
): Promise<string> {
  const { companyId, invoiceId, revision, ordinal } = delivery;
  const wish = { companyId, requestedBy: by, traceparent };
  const reminder = reminderOf(delivery);
  if (reminder !== undefined)
    return (await requests.ask(tx, paymentReminder, reminder, wish)).requestId;
  const invoice = await findInvoiceHead(tx, companyId, invoiceId);
  if (invoice === undefined) throw notFound("invoice", invoiceId);
  const locale = sendInvoice.payload.shape.locale.parse(invoice.locale);
  const { requestId } = await requests.ask(
    tx,
    sendInvoice,
    { invoiceId, revision, locale, ordinal },
    wish,
  );
  return requestId;
}

/** What sends a mail: its job, and what of the payload makes it this mail's. */
function workOf(delivery: Delivery) {
  const reminder = reminderOf(delivery);
  const { invoiceId, revision, ordinal } = delivery;
  return reminder === undefined
    ? {
        queue: sendInvoice.queue.name,
        name: sendInvoice.name,
        payload: { invoiceId, revision },
        ordinal,
      }
    : {
        queue: paymentReminder.queue.name,
        name: paymentReminder.name,
        payload: reminder,
        ordinal: 1,
      };
}

/** What asked for a mail that is a reminder; `undefined` of any other. */
function reminderOf({
  invoiceId,
  purpose,
}: Delivery): PayloadOf<typeof paymentReminder> | undefined {
  const [, step, dueDate] = /^reminder-(before|after):(.*)$/.exec(purpose) ?? [];
  return step === undefined
    ? undefined
    : paymentReminder.payload.parse({ invoiceId, step, dueDate });
}

async function known(tx: Tx, { id, state, sentAt }: Delivery): Promise<Problem> {
  const target = { targetKind: "delivery", targetId: id, limit: 1 };
  const last = (await listActions(tx, "all", target)).actions[0];
  const since = sentAt === null ? "" : ` since ${sentAt.toISOString()}`;
  const by =
    last === undefined
      ? ""
      : `; ${last.actor} settled it at ${last.at.toISOString()} (${last.reason})`;
  return new Problem("delivery-settled", `delivery ${id} is ${state}${since}${by}`);
}
