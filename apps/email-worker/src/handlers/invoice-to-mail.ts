import type {
  CompanyScope,
  Delivery,
  Document,
  Invoice,
  MailFacts,
  MailPurpose,
} from "@ballast/database";
import { PermanentError } from "@ballast/jobs";
import { type MailAddress, mailAddress } from "../mail/address.ts";
import type { MailLedger } from "./mail-ledger.ts";

export interface InvoiceToMail {
  readonly invoice: Invoice & { readonly number: string; readonly issueDate: string };
  readonly company: MailFacts["company"];
  readonly customer: MailFacts["customer"];
  readonly sender: MailAddress;
  readonly recipient: MailAddress;
  /** Where the company reads mail; `undefined` if it named no such address. */
  readonly replyTo: MailAddress | undefined;
  /** This mail's row of the ledger. */
  readonly delivery: Delivery;
  /** Why the recipient gets no mail; `undefined` if nothing stops it. */
  readonly suppressedBecause: string | undefined;
  /** All renderings of the invoice. */
  readonly documents: readonly Document[];
}

interface WantedMail {
  readonly invoiceId: string;
  /** Whichever it is at, if absent. */
  readonly revision?: number;
  readonly purpose: MailPurpose;
  readonly ordinal: number;
}

/**
 * Read what the mail is about, as it stands now, and get its row of the ledger.
 *
 * @throws {PermanentError} naming what is missing or wrong, and where to mend it
 */
export async function findInvoiceToMail(
  ledger: MailLedger,
  scope: CompanyScope,
  wanted: WantedMail,
): Promise<InvoiceToMail> {
  const { invoiceId, purpose, ordinal } = wanted;
  const facts = await ledger.facts(invoiceId);
  const { invoice, company, customer, documents, deliveries } = issued(facts, scope, invoiceId);
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
  const planned = plannedMail(deliveries, { ...wanted, revision });
  const address = planned?.recipient ?? customer.email;
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

  const [delivery, suppressedBecause] = await Promise.all([
    planned ??
      ledger.plan({
        companyId,
        invoiceId,
        revision,
        purpose,
        recipient,
        ordinal,
        reason: null, // whoever asks for a resend plans it, with its reason
        fromDomain: sender.slice(sender.lastIndexOf("@") + 1),
      }),
    ledger.suppressed({ companyId, address: recipient }),
  ]);
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
    documents,
  };
}

/**
 * The mail of this ordinal, whomever it was planned for: an ordinal names one mail of the invoice, so
 * an address that changed meanwhile must not make a second.
 */
function plannedMail(
  all: readonly Delivery[],
  { revision, purpose, ordinal }: Required<WantedMail>,
): Delivery | undefined {
  const same = all.filter(
    (row) => row.revision === revision && row.purpose === purpose && row.ordinal === ordinal,
  );
  return same.find(({ state }) => state !== "planned") ?? same[0];
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
