import {
  type CompanyScope,
  draftDelivery,
  isSuppressed,
  type MailFacts,
  type PlannedDelivery,
  type WantedMail,
} from "@ballast/database";
import { PermanentError } from "@ballast/jobs";
import { type MailAddress, mailAddress } from "../mail/address.ts";
import type { LedgerMail, MailLedger } from "./mail-ledger.ts";

export interface InvoiceToMail {
  readonly invoice: MailFacts["invoice"] & { readonly number: string; readonly issueDate: string };
  readonly company: MailFacts["company"];
  readonly customer: MailFacts["customer"];
  readonly sender: MailAddress;
  readonly recipient: MailAddress;
  /** Where the company reads mail; `undefined` if it named no such address. */
  readonly replyTo: MailAddress | undefined;
  readonly delivery: LedgerMail;
  /** Why the recipient gets no mail; `undefined` if nothing stops it. */
  readonly suppressedBecause: string | undefined;
  /** The rendering that goes with it; `undefined` if there is none yet, or none was wanted. */
  readonly document: MailFacts["document"];
}

/**
 * Read what the mail is about, as it stands now, and what the ledger has of it.
 *
 * @throws {PermanentError} naming what is missing or wrong, and where to mend it
 */
export async function findInvoiceToMail(
  ledger: MailLedger,
  scope: CompanyScope,
  wanted: WantedMail,
): Promise<InvoiceToMail> {
  const { invoiceId, purpose, ordinal } = wanted;
  const facts = await ledger.facts(wanted);
  const { invoice, company, customer, document, ...found } = issued(facts, scope, invoiceId);
  const { revision = invoice.revision } = wanted;
  if (invoice.revision !== revision)
    throw new PermanentError(
      "revision_replaced",
      `invoice ${invoiceId} is at revision ${invoice.revision}, so revision ${revision} is not mailed: send revision ${invoice.revision}`,
    );
  const { companyId, customerId } = invoice;
  const sender = mailAddress(company.mailFromAddress);
  if (sender === undefined)
    throw new PermanentError(
      "sender_invalid",
      `mailFromAddress of company ${companyId} is not one plain mail address: correct it, then replay`,
    );
  const address = found.delivery?.recipient ?? customer.email;
  if (address === null)
    throw new PermanentError(
      "recipient_missing",
      `customer ${customerId} has no mail address: add one, then replay`,
    );
  const recipient = mailAddress(address);
  if (recipient === undefined)
    throw new PermanentError(
      "recipient_invalid",
      `the mail address of customer ${customerId} is not one plain address: correct it, then send again with a reason`,
    );

  const delivery =
    found.delivery ??
    drafted({
      companyId,
      invoiceId,
      revision,
      purpose,
      recipient,
      ordinal,
      reason: null, // whoever asks for a resend plans it, with its reason
      fromDomain: sender.slice(sender.lastIndexOf("@") + 1),
    });
  // It may be stopped as it is written, and as it goes out.
  const isAsWritten = recipient.toLowerCase() === address.toLowerCase();
  const suppressedBecause =
    found.suppressedBecause ??
    (isAsWritten ? undefined : (await isSuppressed(ledger.db, companyId, recipient))?.reason);
  const replyTo = company.email === null ? undefined : mailAddress(company.email);
  return {
    invoice,
    company,
    customer,
    sender,
    recipient,
    replyTo,
    delivery,
    suppressedBecause,
    document,
  };
}

function drafted(plan: PlannedDelivery): LedgerMail {
  const draft = draftDelivery(plan);
  const { id, recipient, messageId } = draft;
  return { id, recipient, messageId, state: "planned", response: null, errorMessage: null, draft };
}

function issued(facts: MailFacts | undefined, scope: CompanyScope, invoiceId: string) {
  if (facts === undefined || (scope !== "all" && facts.invoice.companyId !== scope))
    throw new PermanentError("invoice_not_found", `no invoice ${invoiceId}`);
  const { invoice } = facts;
  const { number, issueDate } = invoice;
  if (number === null || issueDate === null)
    throw new PermanentError(
      "invoice_not_issued",
      `invoice ${invoiceId} is a draft: issue it, then send it`,
    );
  return { ...facts, invoice: { ...invoice, number, issueDate } };
}
