import { type Database, type Document, findDocument, findInvoiceHead } from "@ballast/database";
import { ObjectNotFoundError, type ObjectStore } from "@ballast/storage";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { isUnchanged, rangeOf } from "../http/ranges.ts";
import { InvoiceParams } from "./invoices.ts";

interface Deps {
  readonly database: Database;
  readonly documents: Pick<ObjectStore, "get">;
}

/** The rendered PDF, streamed from where it is stored. */
export const documentRoutes = ({ database, documents }: Deps): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/invoices/{invoiceId}/document",
    operationId: "getDocument",
    tag: "Invoices",
    scope: "read",
    summary: "Download the invoice's PDF",
    description:
      "`ETag` is the document's SHA-256; `If-None-Match` answers 304, a single `Range` 206. A paid or void invoice keeps its document.",
    params: InvoiceParams,
    query: z.object({}),
    answers: {
      200: {
        description: "The PDF.",
        contentType: "application/pdf",
        schema: z.string().meta({ override: { type: "string", format: "binary" } }),
        headers: { ETag: "The document's SHA-256, quoted.", "Accept-Ranges": "`bytes`" },
      },
      206: { description: "The part of it that `Range` asked for." },
      304: { description: "The caller has it already." },
    },
    problems: ["not-found", "invoice-not-issued", "document-not-rendered", "range-not-satisfiable"],
    async handle({ caller, params: { invoiceId }, header, signal }) {
      const db = database.kysely;
      const invoice = await findInvoiceHead(db, scopeOf(caller), invoiceId);
      if (invoice === undefined) throw notFound("invoice", invoiceId);
      if (invoice.number === null)
        throw new Problem(
          "invoice-not-issued",
          `invoice ${invoiceId} is a draft and has no document: issue it first with POST /v1/invoices/${invoiceId}/issue`,
        );
      const { revision, locale, companyId } = invoice;
      const document = await findDocument(db, companyId, { invoiceId, revision, locale });
      if (document === undefined) throw notRendered(invoiceId);

      const etag = `"${document.sha256}"`;
      const headers = {
        ETag: etag,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/pdf",
        "Content-Disposition": `inline; filename="${fileName(invoice.number)}.pdf"`,
      };
      if (isUnchanged(header("if-none-match"), etag)) return { status: 304, headers };
      const range = rangeOf(header("range"), header("if-range"), etag, document.sizeBytes);
      const { start, end } = range ?? { start: 0, end: document.sizeBytes - 1 };
      return {
        status: range === undefined ? 200 : 206,
        headers: {
          ...headers,
          "Content-Length": String(end - start + 1),
          ...(range === undefined
            ? {}
            : { "Content-Range": `bytes ${start}-${end}/${document.sizeBytes}` }),
        },
        stream: await open(documents, document, range, signal),
      };
    },
  }),
];

const open = (
  documents: Deps["documents"],
  { objectKey, invoiceId }: Document,
  range: { start: number; end: number } | undefined,
  signal: AbortSignal,
) =>
  documents
    .get(objectKey, { signal, ...(range === undefined ? {} : { range }) })
    .catch((error: unknown) => {
      throw error instanceof ObjectNotFoundError ? notRendered(invoiceId) : error;
    });

const notRendered = (invoiceId: string) =>
  new Problem(
    "document-not-rendered",
    `invoice ${invoiceId} has no PDF yet: ask for it with POST /v1/invoices/${invoiceId}/pdf`,
  );

/** A company chooses its prefix, so what a header or a file system would trip over goes. */
const fileName = (number: string): string => number.replaceAll(/[^A-Za-z0-9._-]/g, "-");
