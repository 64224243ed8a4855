import { sendInvoice } from "@ballast/contracts";
import { currencyExponent, type Database, type Tx } from "@ballast/database";
import {
  type Handler,
  handle,
  PermanentError,
  type RemoteGuard,
  type Requests,
} from "@ballast/jobs";
import type { ObjectStore } from "@ballast/storage";
import { invoiceMail } from "../mail/invoice-mail.ts";
import { mimeMessage } from "../mail/message.ts";
import type { SendResult } from "../smtp/classify.ts";
import type { Mailer } from "../smtp/mailer.ts";
import { decided, deliver, suppress } from "./deliver.ts";
import { findInvoiceToMail, type InvoiceToMail } from "./invoice-to-mail.ts";
import { openMailLedger } from "./mail-ledger.ts";
import { readPdfBody } from "./pdf-body.ts";
import { RenderWishes } from "./render-wishes.ts";

export interface SendInvoiceDeps {
  readonly database: Database;
  readonly documents: ObjectStore;
  readonly requests: Requests<Tx>;
  readonly mailer: Mailer;
  /** The gate of the mail server. */
  readonly guard: RemoteGuard;
  /** Of the PDF itself; its base64 is a third larger. */
  readonly maxAttachmentBytes: number;
  /** Told what became of each mail handed to the server. */
  readonly onResult?: (kind: SendResult["kind"]) => void;
}

/**
 * Mail one invoice revision with its PDF, once per (invoice, revision, recipient, ordinal).
 *
 * Repeatable at any point: the ledger says what was done. A mail never leaves without its PDF, and one
 * that a server may hold is never sent again by itself.
 */
export function sendInvoiceHandler(deps: SendInvoiceDeps): Handler {
  const { database, documents, requests, guard, maxAttachmentBytes } = deps;
  const ledger = openMailLedger(database.kysely);
  const wishes = new RenderWishes(database, requests);
  const deliverDeps = { ...deps, ledger };

  return handle(sendInvoice, async ({ payload, signal, log, lease, companyId, traceparent }) => {
    const found = await findInvoiceToMail(ledger, companyId ?? "all", {
      ...payload,
      purpose: "invoice",
    });
    const { invoice, delivery, sender, recipient } = found;
    const done = decided(delivery);
    if (done !== undefined) return done;
    // Nothing to say of one that may be under way: the ledger comes first.
    if (invoice.state === "void" && delivery.state === "planned")
      throw new PermanentError("invoice_void", `invoice ${invoice.id} was taken back: not mailed`);
    if (found.suppressedBecause !== undefined)
      return await suppress(ledger, delivery, found.suppressedBecause);

    // Nothing more is read or written for a mail that nobody would take.
    await guard.admit(signal);
    const wanted = { ...payload, companyId: invoice.companyId };
    const { document } = found;
    const pdf =
      document &&
      (await readPdfBody(documents, document, { maxBytes: maxAttachmentBytes, signal }));
    if (pdf === undefined) throw await wishes.ask({ ...wanted, traceparent });
    wishes.met(wanted);

    const message = write(found, payload.locale, pdf);
    const mail = { from: sender, to: recipient, message };
    const result = await deliver(deliverDeps, delivery, mail, { signal, lease });
    log.info({ deliveryId: delivery.id, messageId: delivery.messageId }, "invoice mailed");
    return result;
  });
}

function write(found: InvoiceToMail, locale: string, pdf: Buffer): Buffer[] {
  const { invoice, company, customer, sender, recipient, replyTo, delivery } = found;
  const { language, fileName, ...words } = invoiceMail({
    locale,
    number: invoice.number,
    issueDate: invoice.issueDate,
    dueDate: invoice.state === "paid" ? null : invoice.dueDate,
    grossMinor: invoice.grossMinor,
    currency: invoice.currency,
    currencyExponent: currencyExponent(invoice.currency),
    company: {
      legalName: company.legalName,
      email: replyTo ?? null,
      phone: company.phone,
      website: company.website,
    },
    customerName: customer.name,
  });
  return mimeMessage({
    ...words,
    from: { name: company.mailFromName, address: sender },
    to: recipient,
    replyTo: replyTo === undefined ? undefined : { name: company.legalName, address: replyTo },
    language,
    date: new Date(),
    messageId: delivery.messageId,
    pdf: { fileName, base64: pdf },
  });
}
