import { BULK_PRIORITY, renderInvoice, sendInvoice } from "@ballast/contracts";
import {
  findInvoiceHead,
  type Invoice,
  type InvoiceRun,
  type ItemOutcome,
  type Letter,
  listDeliveries,
  listLetters,
  lockLetter,
  type NextItem,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { Problem } from "../http/problem.ts";
import { askForMail, askForPdf, isRendered } from "../jobs/invoice-work.ts";
import { planReplay } from "../triage/plan-replay.ts";
import { type Replayed, replayLetter } from "../triage/replay-letter.ts";

/** Ask for what a run wants of one invoice, as it stands now. */
export async function askItem(
  tx: Tx,
  requests: Requests<Tx>,
  run: InvoiceRun,
  { invoiceId, isRetry }: NextItem,
): Promise<ItemOutcome> {
  const invoice = await findInvoiceHead(tx, run.companyId, invoiceId);
  if (invoice === undefined) return failed("not-found", `invoice ${invoiceId} is gone`);
  if (await isDone(tx, run, invoice)) return { state: "done" };
  if (invoice.state === "void")
    return failed("invoice-state", `invoice ${invoiceId} is void by now`);

  const wisher = {
    requestedBy: run.requestedBy,
    traceparent: run.traceparent,
    priority: BULK_PRIORITY,
  };
  try {
    const replayed = isRetry ? await replayDeaths(tx, requests, run, invoice) : undefined;
    if (replayed !== undefined) return ours(replayed);
    if (run.action === "render") return ours(await askForPdf(tx, requests, invoice, wisher));
    const asked = await askForMail(tx, requests, invoice, null, wisher);
    return asked.repeated
      ? { state: "asked", jobRunId: asked.runId, requestId: null }
      : ours(asked);
  } catch (error) {
    // Thrown by a plan, before what it plans is written. A document that is replayed by then stands by itself.
    if (!(error instanceof Problem)) throw error;
    return failed(error.code, error.message);
  }
}

async function isDone(tx: Tx, { action }: InvoiceRun, invoice: Invoice): Promise<boolean> {
  if (action === "render") return await isRendered(tx, invoice);
  const mails = await listDeliveries(tx, invoice.companyId, invoice.id);
  return mails.some(
    ({ purpose, revision, ordinal, state }) =>
      purpose === "invoice" && revision === invoice.revision && ordinal === 1 && state === "sent",
  );
}

/**
 * What died for this invoice is replayed, so that its letters are settled and the lineage kept.
 *
 * @returns the run's own work, unless it did not die
 * @throws {Problem} `not-replayable`, `invalid-body`; then nothing is replayed
 */
async function replayDeaths(
  tx: Tx,
  requests: Requests<Tx>,
  run: InvoiceRun,
  { id, companyId }: Invoice,
): Promise<Replayed | undefined> {
  const subject = `invoice:${id}`;
  const { letters } = await listLetters(tx, companyId, { subject, state: "open", limit: 20 });
  const wanted = run.action === "render" ? renderInvoice : sendInvoice;
  const dead: Letter[] = [];
  for (const { name } of new Set([renderInvoice, wanted])) {
    const runId = letters.find((letter) => letter.job === name)?.runId;
    const letter = runId === undefined ? undefined : await lockLetter(tx, companyId, runId);
    if (letter?.state === "open") dead.push(letter);
  }
  for (const letter of dead) planReplay(letter);
  let own: Replayed | undefined;
  for (const letter of dead) {
    const replayed = await replayLetter(tx, requests, letter, {
      by: run.retriedBy ?? run.requestedBy,
      reason: `invoice run ${run.id} is tried again`,
      traceparent: run.traceparent,
      priority: BULK_PRIORITY,
    });
    if (letter.job === wanted.name) own = replayed;
  }
  return own;
}

const ours = ({ runId, requestId }: { runId: string; requestId: string }): ItemOutcome => ({
  state: "asked",
  jobRunId: runId,
  requestId,
});

const failed = (errorCode: string, errorMessage: string): ItemOutcome => ({
  state: "failed",
  errorCode,
  errorMessage,
});
