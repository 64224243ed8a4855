import { randomUUID } from "node:crypto";
import { findContract } from "@ballast/contracts";
import {
  type Adoption,
  type AttemptEnd,
  claimSending,
  markUnknown,
  recordDocument,
  uuidv7,
} from "@ballast/database";
import type { Api } from "./setup.ts";

const WORKER = "host:7@1.2.3";

/** Start a run, as a worker does. @returns the attempt's id */
export async function begin(t: Api, runId: string, queue = "pdf"): Promise<string> {
  const attemptId = randomUUID();
  const [started] = await t.store.start([{ attemptId, queue, engineJobId: runId, worker: WORKER }]);
  if (started?.kind !== "go") throw new Error(`run ${runId} did not start: ${started?.kind}`);
  return attemptId;
}

/** Report how an attempt ended. */
export async function end(
  t: Api,
  runId: string,
  attemptId: string,
  change: Partial<AttemptEnd> = {},
): Promise<void> {
  const report: AttemptEnd = {
    attemptId,
    runId,
    outcome: "completed",
    startedAt: new Date(Date.now() - 100),
    endedAt: new Date(),
    worker: WORKER,
    result: null,
    code: null,
    message: null,
    stack: null,
    nextAttemptAt: null,
    ...change,
  };
  await t.store.ended([report]);
}

/** Let a run die in its first attempt. @returns the letter's id */
export async function die(
  t: Api,
  runId: string,
  { queue = "pdf", ...change }: Partial<AttemptEnd> & { queue?: string } = {},
): Promise<string> {
  const attemptId = await begin(t, runId, queue);
  await end(t, runId, attemptId, {
    outcome: "dead",
    code: "invoice_broken",
    message: "no tax rate",
    stack: "Error: no tax rate\n    at render",
    ...change,
  });
  return runId;
}

/** A dead letter of the PDF of an invoice of its own. */
export async function deadPdf(t: Api, change: Partial<AttemptEnd> = {}) {
  const invoice = await t.issued();
  const asked = await t.api.post(`/v1/invoices/${invoice.invoiceId}/pdf`).expect(202);
  const letterId = await die(t, asked.body.runId, change);
  return { ...invoice, letterId, requestId: asked.body.requestId as string };
}

/** A job that another team put into a queue, in a worker's hands. */
export async function foreigner(t: Api, change: Partial<Adoption> = {}) {
  const attemptId = randomUUID();
  const engineJobId = randomUUID();
  const started = await t.store.adopt({
    attemptId,
    queue: "pdf",
    engineJobId,
    worker: WORKER,
    job: "render-invoice",
    version: 1,
    payload: {},
    companyId: null,
    subject: null,
    slot: null,
    deadlineAt: new Date(Date.now() + 3_600_000),
    requestId: null,
    requestedBy: null,
    traceparent: null,
    createdAt: new Date(),
    ...change,
  });
  if (started.kind !== "go") throw new Error(`not adopted: ${started.kind}`);
  return { runId: started.run.id, attemptId };
}

/** A dead letter of such a job. */
export async function deadForeigner(t: Api, change: Partial<Adoption> = {}): Promise<string> {
  const { runId, attemptId } = await foreigner(t, change);
  await end(t, runId, attemptId, { outcome: "dead", code: "no_envelope", message: "odd" });
  return runId;
}

/** The PDF of an invoice, as a pdf-worker leaves it behind. */
export const rendered = (t: Api, invoice: { companyId: string; invoiceId: string }) =>
  recordDocument(t.database.kysely, {
    companyId: invoice.companyId,
    invoiceId: invoice.invoiceId,
    revision: 1,
    locale: "de-AT",
    objectKey: `${invoice.invoiceId}.pdf`,
    mailBodyKey: null,
    sha256: "a".repeat(64),
    pageCount: 1,
    sizeBytes: 10,
  });

/** A mail of which nobody knows whether it left, and the letter of the run that died of it. */
export async function uncertainMail(t: Api) {
  const invoice = await t.issued();
  await rendered(t, invoice);
  const { body } = await t.api.post(`/v1/invoices/${invoice.invoiceId}/send`).expect(202);
  const { deliveryId } = body.mail as { deliveryId: string };
  const db = t.database.kysely;
  const claim = await claimSending(db, deliveryId, 60_000);
  if (claim.kind !== "claimed") throw new Error(`not claimed: ${claim.kind}`);
  const cut = { code: "outcome_unknown", message: "cut after the body" };
  await markUnknown(db, deliveryId, claim.fence, cut);
  const letterId = await die(t, body.runId, { queue: "email", ...cut });
  return {
    ...invoice,
    deliveryId,
    fence: claim.fence,
    letterId,
    requestId: body.requestId as string,
  };
}

/** An incident, as the notifier writes it, with these letters in it. */
export async function incident(
  t: Api,
  letterIds: readonly string[],
  deathCount = letterIds.length,
) {
  const db = t.database.kysely;
  const id = uuidv7();
  const fingerprint = id.replaceAll("-", "");
  await db
    .insertInto("incidents")
    .values({
      id,
      queue: "pdf",
      fingerprint,
      job: "render-invoice",
      code: "invoice_broken",
      title: "no tax rate",
      deathCount: BigInt(deathCount),
      firstSeenAt: new Date(Date.now() - 60_000),
      lastSeenAt: new Date(),
      workerVersions: ["1.2.3"],
    })
    .execute();
  if (letterIds.length > 0)
    await db
      .updateTable("deadLetters")
      .set({ incidentId: id, fingerprint })
      .where("runId", "in", [...letterIds])
      .execute();
  return id;
}

export const giveUpAfterMs = (queue: string, job: string): number =>
  findContract(queue, job)?.giveUpAfterMs ?? Number.NaN;
