import { z } from "zod";
import { defineJob } from "../job.ts";
import { pdf } from "../queues.ts";

/** Locales the invoice design speaks: language, number and date formats follow. */
export const InvoiceLocale = z.enum([
  "de-AT",
  "de-CH",
  "de-DE",
  "en-GB",
  "en-US",
  "es-ES",
  "fr-FR",
]);
export type InvoiceLocale = z.output<typeof InvoiceLocale>;

/**
 * Render one invoice revision to PDF and store it.
 *
 * Safe to run twice: the object's key depends on the payload and its company alone, so a second
 * run overwrites the first with an equal document.
 */
export const renderInvoice = defineJob({
  queue: pdf,
  name: "render-invoice",
  version: 1,
  payload: z.object({
    invoiceId: z.uuid().toLowerCase(),
    /** Counts from 1; rises by one each time the invoice is re-issued. */
    revision: z.int().positive(),
    locale: InvoiceLocale,
  }),
  result: z.object({
    documentId: z.uuid(),
    objectKey: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    pageCount: z.int().positive(),
    sizeBytes: z.int().positive(),
  }),
  timeoutMs: 120_000,
  slot: ({ invoiceId, revision, locale }) => `${invoiceId}:r${revision}:${locale}`,
  subject: ({ invoiceId }) => `invoice:${invoiceId}`,
});

/** What a job waits for that needs this document: held under this key until the document is recorded. */
export const documentHold = (document: z.output<typeof renderInvoice.payload>): string =>
  `document:${document.invoiceId}:r${document.revision}:${document.locale}`;
