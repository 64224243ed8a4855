import { randomUUID } from "node:crypto";
import { findContract } from "@ballast/contracts";
import type { Adoption, AttemptEnd } from "@ballast/database";
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

/** A dead letter of a job that another team put into a queue. */
export async function deadForeigner(t: Api, change: Partial<Adoption> = {}): Promise<string> {
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
  await end(t, started.run.id, attemptId, { outcome: "dead", code: "no_envelope", message: "odd" });
  return started.run.id;
}

export const giveUpAfterMs = (queue: string, job: string): number =>
  findContract(queue, job)?.giveUpAfterMs ?? Number.NaN;
