import { documentHold, type PayloadOf, type ResultOf, renderInvoice } from "@ballast/contracts";
import {
  type CompanyScope,
  type Database,
  type Document,
  findDocument,
  findInvoiceForRendering,
  findInvoiceHead,
  type IssuedInvoice,
  type Queryable,
  recordDocument,
  type Tx,
} from "@ballast/database";
import {
  type Handler,
  handle,
  PermanentError,
  type Requests,
  type Tracer,
  traced,
} from "@ballast/jobs";
import type { ObjectStore } from "@ballast/storage";
import { documentOf } from "../invoice/from-issued-invoice.ts";
import { invoiceHtml } from "../invoice/invoice-html.ts";
import type { Printer } from "../printer.ts";
import { askStore, isWhole, objectKeyOf, putPdf, sha256 } from "./document-store.ts";

export interface RenderInvoiceDeps {
  readonly database: Database;
  readonly documents: ObjectStore;
  readonly printer: Pick<Printer, "print">;
  readonly requests: Pick<Requests<Tx>, "release">;
  readonly tracer?: Tracer | undefined;
}

/** The longest list of strange characters worth a log line. */
const LOGGED_CHARACTERS = 20;

/**
 * Read, lay out, print, store, record; and let the mails go that waited for the document.
 *
 * Repeatable at any point: key and bytes depend on the invoice alone, and a document that stands in
 * the store as it was recorded is not rendered again.
 */
export function renderInvoiceHandler(deps: RenderInvoiceDeps): Handler {
  const { database, documents, printer, requests, tracer } = deps;
  const db = database.kysely;

  return handle(renderInvoice, async ({ payload, signal, log, progress, companyId }) => {
    const scope = companyId ?? "all";
    const done = await findDocument(db, scope, payload);
    if (done !== undefined && (await isWhole(documents, done, signal))) {
      await database.transaction((tx) => requests.release(tx, documentHold(payload)));
      log.info({ documentId: done.id }, "invoice was rendered already");
      return resultOf(done);
    }

    const invoice = await findIssued(db, scope, payload);
    const never = refusalOf(invoice, payload.revision);
    if (never !== undefined) {
      // The mails that wait would wait for a day; let go, they end with the reason.
      await database.transaction((tx) => requests.release(tx, documentHold(payload)));
      throw never;
    }
    const identity = { ...payload, companyId: invoice.companyId };
    const objectKey = objectKeyOf(identity);
    await askStore(documents, objectKey, signal);

    const page = await invoiceHtml(documentOf(invoice, payload.locale));
    if (page.uncovered.length > 0) {
      const characters = page.uncovered.slice(0, LOGGED_CHARACTERS).join("");
      log.warn({ characters, count: page.uncovered.length }, "characters without a font of ours");
    }
    const { pdf, pageCount, ms } = await traced(
      tracer,
      () => ({ name: "print", kind: "internal" }),
      async (span) => {
        const printed = await printer.print(page.html, { ...page, signal });
        span?.set({ "ballast.page_count": printed.pageCount });
        return printed;
      },
    );
    progress({ step: "printed", pageCount });

    const keys = { objectKey, mailBodyKey: `${objectKey}.b64` };
    await putPdf(documents, keys, pdf, signal);
    signal.throwIfAborted();
    const document = await database.transaction(async (tx) => {
      const facts = { sha256: sha256(pdf), pageCount, sizeBytes: pdf.byteLength };
      const recorded = await recordDocument(tx, { ...identity, ...keys, ...facts });
      await requests.release(tx, documentHold(payload));
      return recorded;
    });
    log.info({ objectKey, pageCount, sizeBytes: pdf.byteLength, printMs: ms }, "invoice rendered");
    return resultOf(document);
  });
}

const resultOf = (document: Document): ResultOf<typeof renderInvoice> => ({
  documentId: document.id,
  objectKey: document.objectKey,
  sha256: document.sha256,
  pageCount: document.pageCount,
  sizeBytes: document.sizeBytes,
});

/**
 * The invoice as it stands now.
 *
 * @throws {PermanentError} if it is unknown or a draft
 */
async function findIssued(
  db: Queryable,
  scope: CompanyScope,
  { invoiceId }: PayloadOf<typeof renderInvoice>,
): Promise<IssuedInvoice> {
  const invoice = await findInvoiceForRendering(db, scope, invoiceId);
  if (invoice !== undefined) return invoice;
  const draft = await findInvoiceHead(db, scope, invoiceId);
  throw draft === undefined
    ? new PermanentError("invoice_not_found", `no invoice ${invoiceId}`)
    : new PermanentError(
        "invoice_not_issued",
        `invoice ${invoiceId} is a draft: issue it, then render it`,
      );
}

/** Why this revision may not be shown to a customer, now or later. */
function refusalOf(invoice: IssuedInvoice, revision: number): PermanentError | undefined {
  const { id } = invoice;
  if (invoice.state === "void")
    return new PermanentError("invoice_void", `invoice ${id} was taken back: not rendered`);
  if (invoice.revision !== revision)
    return new PermanentError(
      "revision_replaced",
      `invoice ${id} is at revision ${invoice.revision}, so revision ${revision} is not rendered: render revision ${invoice.revision}`,
    );
  return undefined;
}
