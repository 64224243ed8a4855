import { BULK_PRIORITY, renderInvoice, sendInvoice } from "@ballast/contracts";
import {
  findInvoiceHead,
  type Invoice,
  type InvoiceRun,
  type ItemOutcome,
  listDeliveries,
  listLetters,
  lockLetter,
  type NextItem,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { Problem } from "../http/problem.ts";
import { askForMail, askForPdf, isRendered } from "../jobs/invoice-work.ts";
import { replayLetter } from "../triage/replay-letter.ts";

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

  const replayed = isRetry ? await replayDeath(tx, requests, run, invoice) : undefined;
  if (replayed !== undefined) return replayed;
  const wisher = {
    requestedBy: run.requestedBy,
    traceparent: run.traceparent,
    priority: BULK_PRIORITY,
  };
  if (run.action === "render") return ours(await askForPdf(tx, requests, invoice, wisher));
  try {
    const asked = await askForMail(tx, requests, invoice, null, wisher);
    return asked.repeated
      ? { state: "asked", jobRunId: asked.runId, requestId: null }
      : ours(asked);
  } catch (error) {
    // Thrown before anything was written, by the plan.
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

/** What died for this invoice is replayed, so that its letter is settled and the lineage kept. */
async function replayDeath(
  tx: Tx,
  requests: Requests<Tx>,
  run: InvoiceRun,
  invoice: Invoice,
): Promise<ItemOutcome | undefined> {
  const { companyId } = invoice;
  const subject = `invoice:${invoice.id}`;
  const { letters } = await listLetters(tx, companyId, { subject, state: "open", limit: 20 });
  const replay = async (job: string) => {
    const runId = letters.find((letter) => letter.job === job)?.runId;
    const letter = runId && (await lockLetter(tx, companyId, runId));
    if (letter === undefined || letter === "" || letter.state !== "open") return undefined;
    return await replayLetter(tx, requests, letter, {
      by: run.retriedBy ?? run.requestedBy,
      reason: `invoice run ${run.id} is tried again`,
      traceparent: run.traceparent,
      priority: BULK_PRIORITY,
    });
  };
  const document = await replay(renderInvoice.name);
  if (run.action === "render") return document && ours(document);
  const mail = await replay(sendInvoice.name);
  return mail && ours(mail);
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
