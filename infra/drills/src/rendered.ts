import { createHash } from "node:crypto";
import { type Database, type IssuedInvoice, recordDocument } from "@ballast/database";
import type { ObjectStore } from "@ballast/storage";

const PDF = Buffer.from("%PDF-1.7\n% an invoice, as far as its mail is concerned\n%%EOF\n");

/** Leave an invoice's document where and as the pdf-worker does. */
export async function storeRendered(
  { kysely }: Database,
  documents: ObjectStore,
  { companyId, id: invoiceId, revision, locale }: IssuedInvoice,
): Promise<void> {
  const objectKey = `invoices/${companyId}/${invoiceId}.r${revision}.${locale}.pdf`;
  await documents.put(objectKey, PDF, { contentType: "application/pdf" });
  await recordDocument(kysely, {
    companyId,
    invoiceId,
    revision,
    locale,
    objectKey,
    mailBodyKey: null,
    sha256: createHash("sha256").update(PDF).digest("hex"),
    pageCount: 1,
    sizeBytes: PDF.length,
  });
}
