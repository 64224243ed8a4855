import {
  type Company,
  type CompanyScope,
  type Customer,
  type Delivery,
  findCompany,
  findCustomer,
  findInvoiceHead,
  type Invoice,
  listDeliveries,
  type MailPurpose,
  planDelivery,
  type Queryable,
} from "@ballast/database";
import { PermanentError } from "@ballast/jobs";
import { type MailAddress, mailAddress } from "../mail/address.ts";

export interface InvoiceToMail {
  readonly invoice: Invoice & { readonly number: string; readonly issueDate: string };
  readonly company: Company;
  readonly customer: Customer;
  readonly sender: MailAddress;
  readonly recipient: MailAddress;
  /** Where the company reads mail; `undefined` if it named no such address. */
  readonly replyTo: MailAddress | undefined;
  /** This mail's row of the ledger. */
  readonly delivery: Delivery;
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
  db: Queryable,
  scope: CompanyScope,
  wanted: WantedMail,
): Promise<InvoiceToMail> {
  const { invoiceId, purpose, ordinal } = wanted;
  const invoice = issued(await findInvoiceHead(db, scope, invoiceId), invoiceId);
  const { revision = invoice.revision } = wanted;
  if (invoice.revision !== revision)
    throw new PermanentError(
      "revision_replaced",
      `invoice ${invoiceId} is at revision ${invoice.revision}, so revision ${revision} is not mailed: send revision ${invoice.revision}`,
    );
  const { companyId, customerId } = invoice;
  const [company, customer] = await Promise.all([
    findCompany(db, companyId, companyId),
    findCustomer(db, companyId, customerId),
  ]);
  if (company === undefined || customer === undefined)
    throw new PermanentError("party_not_found", `invoice ${invoiceId} has no company or customer`);

  const sender = mailAddress(company.mailFromAddress);
  if (sender === undefined)
    throw new PermanentError(
      "sender_invalid",
      `mailFromAddress of company ${companyId} is not one plain mail address: correct it, then replay`,
    );
  const planned = await plannedMail(db, companyId, { ...wanted, revision });
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

  const delivery =
    planned ??
    (await planDelivery(db, {
      companyId,
      invoiceId,
      revision,
      purpose,
      recipient,
      ordinal,
      reason: null, // whoever asks for a resend plans it, with its reason
      fromDomain: sender.slice(sender.lastIndexOf("@") + 1),
    }));
  const replyTo = company.email === null ? undefined : mailAddress(company.email);
  return { invoice, company, customer, sender, recipient, replyTo, delivery };
}

/**
 * The mail of this ordinal, whomever it was planned for: an ordinal names one mail of the invoice, so
 * an address that changed meanwhile must not make a second.
 */
async function plannedMail(
  db: Queryable,
  companyId: string,
  { invoiceId, revision, purpose, ordinal }: Required<WantedMail>,
): Promise<Delivery | undefined> {
  const all = await listDeliveries(db, companyId, invoiceId);
  const same = all.filter(
    (row) => row.revision === revision && row.purpose === purpose && row.ordinal === ordinal,
  );
  return same.find(({ state }) => state !== "planned") ?? same[0];
}

function issued(invoice: Invoice | undefined, invoiceId: string): InvoiceToMail["invoice"] {
  if (invoice === undefined)
    throw new PermanentError("invoice_not_found", `no invoice ${invoiceId}`);
  const { number, issueDate } = invoice;
  if (number === null || issueDate === null)
    throw new PermanentError(
      "invoice_not_issued",
      `invoice ${invoiceId} is a draft: issue it, then send it`,
    );
  return { ...invoice, number, issueDate };
}
