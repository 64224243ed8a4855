import { documentHold, renderInvoice, sendInvoice } from "@ballast/contracts";
import {
  type Asked,
  findDocument,
  hurry,
  type Invoice,
  type Queryable,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { notFound, Problem } from "../http/problem.ts";
import { firstSend, type PlannedMail, planMail } from "./mail-plan.ts";

/** Who wants it, and how urgently. */
export interface Wisher {
  readonly requestedBy: string;
  readonly traceparent: string | null;
  /** The contract's if absent. */
  readonly priority?: number;
}

export interface AskedMail extends Asked {
  readonly mail: PlannedMail;
  /** It is the answer of an earlier request. */
  readonly repeated: boolean;
}

/** Ask for the PDF of an invoice that is issued. */
export const askForPdf = (
  tx: Tx,
  requests: Requests<Tx>,
  invoice: Invoice,
  wisher: Wisher,
): Promise<Asked> =>
  requests.ask(tx, renderInvoice, documentOf(invoice), {
    ...wisher,
    companyId: invoice.companyId,
  });

/** The same for many, in their order and in a transaction of their own. */
export const commitPdfs = (
  requests: Pick<Requests<Tx>, "commitAll">,
  wishes: ReadonlyArray<Wisher & { readonly invoice: Invoice }>,
): Promise<Asked[]> =>
  requests.commitAll(
    renderInvoice,
    wishes.map(({ invoice, ...wisher }) => ({
      ...wisher,
      payload: documentOf(invoice),
      companyId: invoice.companyId,
    })),
  );

/**
 * Ask for the invoice to be mailed, and for its PDF if need be. Asked for the first mail again, it answers
 * with the first request.
 *
 * @param resendReason why it is sent once more; `null` for the first mail
 * @throws {Problem} `no-recipient`, `recipient-suppressed`
 */
export async function askForMail(
  tx: Tx,
  requests: Requests<Tx>,
  invoice: Invoice,
  resendReason: string | null,
  wisher: Wisher,
): Promise<AskedMail> {
  const { companyId } = invoice;
  const mail = await planMail(tx, invoice, resendReason);
  const first = resendReason === null ? await firstSend(tx, invoice) : undefined;
  if (first !== undefined) {
    const { requestId, runId, joined, isHeld } = first;
    // What it waits for may have died or been cancelled; each click would be a request for the PDF otherwise.
    if (isHeld && !(await isBeingRendered(tx, invoice)))
      await seeToDocument(tx, requests, invoice, wisher);
    if (wisher.priority === undefined) await hurry(tx, companyId, `invoice:${invoice.id}`);
    return { requestId, runId, joined, mail, repeated: true };
  }

  const document = documentOf(invoice);
  const heldFor = documentHold(document);
  const payload = { ...document, ordinal: mail.ordinal };
  const asked = await requests.ask(tx, sendInvoice, payload, { ...wisher, companyId, heldFor });
  // Held first and looked after: a PDF that is finished meanwhile cannot slip through.
  await seeToDocument(tx, requests, invoice, wisher);
  return { ...asked, mail, repeated: false };
}

/** What a held mail waits for is there, or asked for. */
async function seeToDocument(
  tx: Tx,
  requests: Requests<Tx>,
  invoice: Invoice,
  wisher: Wisher,
): Promise<void> {
  if (await isRendered(tx, invoice)) await requests.release(tx, documentHold(documentOf(invoice)));
  else await askForPdf(tx, requests, invoice, wisher);
}

/**
 * @param invoice as it was found; its company's, if the caller may see that
 * @throws {Problem} `not-found`, `invoice-not-issued`
 */
export function refuseUnissued(invoiceId: string, invoice: Invoice | undefined): Invoice {
  if (invoice === undefined) throw notFound("invoice", invoiceId);
  if (invoice.state === "draft")
    throw new Problem(
      "invoice-not-issued",
      `invoice ${invoiceId} is a draft: issue it first with POST /v1/invoices/${invoiceId}/issue`,
    );
  return invoice;
}

/** @throws {Problem} `not-found`, `invoice-not-issued`, `invoice-state` */
export async function refuseUnrenderable(
  db: Queryable,
  invoiceId: string,
  found: Invoice | undefined,
): Promise<Invoice> {
  const invoice = refuseUnissued(invoiceId, found);
  if (invoice.state === "void" && !(await isRendered(db, invoice)))
    throw new Problem(
      "invoice-state",
      `invoice ${invoice.id} is void and was never rendered: it gets no PDF any more`,
    );
  return invoice;
}

export const isRendered = async (db: Queryable, invoice: Invoice): Promise<boolean> =>
  (await findDocument(db, invoice.companyId, documentOf(invoice))) !== undefined;

/** Whether a worker has its PDF in hand, or gets it. */
async function isBeingRendered(tx: Tx, { id, companyId, revision }: Invoice): Promise<boolean> {
  const alive = await tx
    .selectFrom("jobRuns")
    .select("id")
    .where("companyId", "=", companyId)
    .where("subject", "=", `invoice:${id}`)
    .where("job", "=", renderInvoice.name)
    .where((eb) => eb(eb.ref("payload", "->>").key("revision" as never), "=", String(revision)))
    .where("state", "in", ["waiting", "started"])
    .where("cancelRequestedAt", "is", null)
    .executeTakeFirst();
  return alive !== undefined;
}

const documentOf = ({ id, revision, locale }: Invoice) => ({
  invoiceId: id,
  revision,
  locale: renderInvoice.payload.shape.locale.parse(locale),
});
