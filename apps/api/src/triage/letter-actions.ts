import { type AnyJob, sendInvoice } from "@ballast/contracts";
import { findLiveTwin, type Letter, listDeliveries, type Queryable } from "@ballast/database";
import { slotKey } from "@ballast/jobs";
import { Problem } from "../http/problem.ts";
import { planReplay } from "./plan-replay.ts";
import { settledBefore } from "./settled.ts";

/** A button, and what it would do if it were pressed now. */
export interface LetterAction {
  readonly action: "replay" | "discard";
  readonly allowed: boolean;
  readonly explanation: string;
}

/** What an operator can do about a letter, before doing it. */
export async function letterActions(db: Queryable, letter: Letter): Promise<LetterAction[]> {
  if (letter.state !== "open") {
    const explanation = settledBefore(letter);
    return [
      { action: "replay", allowed: false, explanation },
      { action: "discard", allowed: false, explanation },
    ];
  }
  return [
    await replayAction(db, letter),
    {
      action: "discard",
      allowed: true,
      explanation:
        "closes the letter for good: the work is not done, and nothing is asked for again",
    },
  ];
}

async function replayAction(db: Queryable, letter: Letter): Promise<LetterAction> {
  try {
    const { contract, payload } = planReplay(letter);
    const slot = slotKey(contract, letter.companyId, contract.payload.parse(payload));
    const twin =
      slot === null ? undefined : await findLiveTwin(db, letter.queue, slot, letter.runId);
    const explanation =
      twin === undefined
        ? `asks for ${contract.name} anew, as generation ${letter.generation + 1}: the same payload, today's data, ${contract.attempts} fresh attempts`
        : `joins the run ${twin.runId} (/v1/jobs/${twin.requestId}), which is ${twin.state} and does the same work`;
    const ledger = await ledgerSays(db, letter, contract, payload);
    return { action: "replay", allowed: true, explanation: `${explanation}${ledger}` };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { action: "replay", allowed: false, explanation: error.message };
  }
}

/** What a mail's row in the ledger makes of a replay: it is asked first, whatever the run wants. */
async function ledgerSays(
  db: Queryable,
  { companyId }: Letter,
  contract: AnyJob,
  payload: Readonly<Record<string, unknown>>,
): Promise<string> {
  if (contract !== sendInvoice) return "";
  const { invoiceId, revision, ordinal } = sendInvoice.payload.parse(payload);
  const mails = await listDeliveries(db, companyId ?? "all", invoiceId);
  const mail = mails.find(
    (one) => one.purpose === "invoice" && one.revision === revision && one.ordinal === ordinal,
  );
  switch (mail?.state) {
    case "sent":
      return `; the ledger has the mail as sent, so nothing is sent again`;
    case "unknown":
      return `; nobody knows whether the mail left, so it would die of that again: settle it first with POST /v1/deliveries/${mail.id}/settle`;
    case "rejected":
    case "suppressed":
      return `; the mail is ${mail.state}, so it would die of that again: send it anew with a reason`;
    default:
      return "";
  }
}
