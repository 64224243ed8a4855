import { setTimeout as wait } from "node:timers/promises";
import type { ResultOf, sendInvoice } from "@ballast/contracts";
import {
  type DeliveryFacts,
  markRejected,
  markSuppressed,
  markUnknown,
  releaseClaim,
} from "@ballast/database";
import type { Attempt, RemoteGuard } from "@ballast/jobs";
import type { SendResult } from "../smtp/classify.ts";
import type { Mailer } from "../smtp/mailer.ts";
import { sendThrough } from "../smtp/send-through.ts";
import type { OutgoingMail } from "../smtp/session.ts";
import {
  inProgress,
  outcomeUnknown,
  refused,
  refusedForNow,
  sentNotRecorded,
  smtpDown,
  suppressed,
  withoutAddresses,
} from "./mail-errors.ts";
import type { LedgerMail, MailLedger } from "./mail-ledger.ts";
import { openStep } from "./open-step.ts";

type Sent = ResultOf<typeof sendInvoice>;

export interface DeliverDeps {
  readonly ledger: MailLedger;
  readonly mailer: Mailer;
  /** Of the mail server. */
  readonly guard: RemoteGuard;
  /** Told what became of each mail handed to the server. */
  readonly onResult?: (kind: SendResult["kind"]) => void;
}

/**
 * What the ledger already says about this mail.
 *
 * @returns the stored result of one that was sent; `undefined` if it may still be sent
 * @throws {PermanentError} where it was refused, suppressed, or nobody knows
 */
export function decided(row: DeliveryFacts): Sent | undefined {
  switch (row.state) {
    case "sent":
      return resultOf(row, row.response ?? "");
    case "rejected":
      throw refused(row.response ?? row.errorMessage ?? "no words are recorded");
    case "unknown":
      throw outcomeUnknown(row, row.errorMessage ?? "no words are recorded");
    case "suppressed":
      throw suppressed(row.errorMessage ?? "no reason is recorded");
    case "planned":
    case "sending":
      return undefined;
    default:
      return row.state satisfies never;
  }
}

/**
 * Send a mail at most once, by the ledger: claim, send, record what became of it.
 *
 * Only a mail that no server can hold goes back to `planned`. The irreversible step begins with the
 * server's 354 and ends with the record: until then whoever stops this attempt is obeyed at once.
 *
 * @throws {RateLimitedError} while somebody else sends it; otherwise as the outcome demands
 */
export async function deliver(
  { ledger, mailer, guard, onResult }: DeliverDeps,
  delivery: LedgerMail,
  mail: OutgoingMail,
  { signal, lease }: Pick<Attempt<unknown>, "signal" | "lease">,
): Promise<Sent> {
  const { id } = delivery;
  const { db } = ledger;
  lease.check();
  const claim = await ledger.claim(delivery);
  if (claim.kind === "busy") throw inProgress(claim.leaseUntil);
  if (claim.kind !== "claimed") return told(claim.row);
  const { fence } = claim;
  const giveBack = () => insist(() => releaseClaim(db, id, fence));

  using step = openStep(lease);
  let result: SendResult;
  try {
    const send = () => mailer.send(mail, signal, () => step.begin());
    result = await sendThrough(guard, send, signal);
  } catch (letGo) {
    await giveBack();
    throw letGo;
  }
  onResult?.(result.kind);

  switch (result.kind) {
    case "accepted": {
      const { response } = result;
      await insist(() => ledger.sent({ id, fence, response })).catch((cause) => {
        throw sentNotRecorded(delivery, response, cause);
      });
      return resultOf(delivery, response);
    }
    case "refused": {
      const { response } = result;
      await insist(() =>
        markRejected(db, id, fence, { code: "refused", message: response, response }),
      );
      throw refused(response);
    }
    case "unknown": {
      const { reason } = result;
      await insist(() => markUnknown(db, id, fence, { code: "outcome_unknown", message: reason }));
      throw outcomeUnknown(delivery, reason);
    }
    case "refused_for_now":
      await giveBack();
      throw refusedForNow(result.response);
    case "server_down":
      await giveBack();
      throw smtpDown(result.reason);
    default:
      return result satisfies never;
  }
}

/**
 * Record that the recipient wants no mail.
 *
 * @returns the stored result, if this mail was sent before the recipient said so
 * @throws {PermanentError} otherwise; {@link RateLimitedError} while somebody sends it
 */
export async function suppress(
  ledger: MailLedger,
  delivery: LedgerMail,
  reason: string,
): Promise<Sent> {
  const claim = await ledger.claim(delivery);
  if (claim.kind === "busy") throw inProgress(claim.leaseUntil);
  if (claim.kind !== "claimed") return told(claim.row);
  await insist(() => markSuppressed(ledger.db, delivery.id, claim.fence, reason));
  throw suppressed(reason);
}

/** As {@link decided}, of a row that is. */
function told(row: DeliveryFacts): Sent {
  const result = decided(row);
  if (result === undefined) throw inProgress(new Date());
  return result;
}

/** What is not written here ends as "unknown" before a person, so a database that blinks is asked again, for 13 s. */
async function insist<T>(write: () => Promise<T>): Promise<T> {
  for (let pauseMs = 100; ; pauseMs *= 2) {
    try {
      return await write();
    } catch (error) {
      if (pauseMs > 6_400) throw error;
      await wait(pauseMs);
    }
  }
}

const resultOf = ({ id, messageId }: DeliveryFacts, response: string): Sent => ({
  deliveryId: id,
  messageId,
  response: withoutAddresses(response),
});
