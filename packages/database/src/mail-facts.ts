import { sql } from "kysely";
import type { Company } from "./companies.ts";
import type { Customer } from "./customers.ts";
import type { Queryable } from "./database.ts";
import type { Delivery, MailPurpose } from "./deliveries.ts";
import type { Document } from "./documents.ts";
import type { Invoice } from "./invoices.ts";
import { list } from "./list.ts";

/** A mail about an invoice. */
export interface WantedMail {
  readonly invoiceId: string;
  /** Whichever the invoice is at, if absent. */
  readonly revision?: number;
  readonly purpose: MailPurpose;
  readonly ordinal: number;
  /** Of the document that goes with it, if one does. */
  readonly locale?: string;
}

/** What a mail about an invoice is made of, as it stands now. */
export interface MailFacts {
  readonly invoice: InvoiceFacts;
  readonly company: CompanyFacts;
  readonly customer: Pick<Customer, "name" | "email">;
  /**
   * The mail of this ordinal, whomever it was planned for: an ordinal names one mail of the invoice, so an
   * address that changed meanwhile must not make a second.
   */
  readonly delivery: DeliveryFacts | undefined;
  readonly document: DocumentFacts | undefined;
  /** Why mail to its recipient, or else to the customer's address, is stopped. */
  readonly suppressedBecause: string | undefined;
}

type InvoiceFacts = Pick<
  Invoice,
  | "id"
  | "companyId"
  | "customerId"
  | "state"
  | "number"
  | "revision"
  | "currency"
  | "locale"
  | "issueDate"
  | "dueDate"
  | "grossMinor"
>;
type CompanyFacts = Pick<
  Company,
  "legalName" | "email" | "phone" | "website" | "mailFromName" | "mailFromAddress"
>;
/** What a sender reads of a mail's row. */
export type DeliveryFacts = Pick<
  Delivery,
  "id" | "state" | "recipient" | "messageId" | "response" | "errorMessage"
>;
/** What is needed to read a document. */
export type DocumentFacts = Pick<Document, "objectKey" | "mailBodyKey" | "sha256" | "sizeBytes">;

interface Row extends InvoiceFacts, Omit<CompanyFacts, "email"> {
  readonly n: bigint;
  readonly companyEmail: string | null;
  readonly customerName: string;
  readonly customerEmail: string | null;
  readonly delivery: DeliveryFacts | null;
  readonly document: DocumentFacts | null;
  readonly suppressedBecause: string | null;
}

/** Find what many mails are made of, of whichever company; in their order, `undefined` where there is no such invoice. */
export async function findMailFacts(
  db: Queryable,
  mails: readonly WantedMail[],
): Promise<Array<MailFacts | undefined>> {
  const all = (key: keyof WantedMail) => mails.map((mail) => mail[key]);
  const { rows } = await sql<Row>`
    SELECT t.n, i.id, i.company_id, i.customer_id, i.state, i.number, i.revision, i.currency, i.locale,
      i.issue_date, i.due_date, i.gross_minor,
      c.legal_name, c.email AS company_email, c.phone, c.website, c.mail_from_name, c.mail_from_address,
      u.name AS customer_name, u.email AS customer_email, d.delivery, s.reason AS suppressed_because,
      CASE WHEN p.id IS NOT NULL THEN json_build_object('objectKey', p.object_key,
        'mailBodyKey', p.mail_body_key, 'sha256', p.sha256, 'sizeBytes', p.size_bytes) END AS document
    FROM unnest(
      ${list("uuid", all("invoiceId"))}, ${list("int", all("revision"))}, ${list("text", all("purpose"))},
      ${list("int", all("ordinal"))}, ${list("text", all("locale"))}
    ) WITH ORDINALITY AS t (invoice_id, revision, purpose, ordinal, locale, n)
    JOIN invoices i ON i.id = t.invoice_id
    JOIN companies c ON c.id = i.company_id
    JOIN customers u ON u.id = i.customer_id
    LEFT JOIN LATERAL (
      SELECT recipient, json_build_object('id', id, 'state', state, 'recipient', recipient,
        'messageId', message_id, 'response', response, 'errorMessage', error_message) AS delivery
      FROM email_deliveries
      WHERE company_id = i.company_id AND invoice_id = i.id
        AND revision = coalesce(t.revision, i.revision) AND purpose = t.purpose AND ordinal = t.ordinal
      ORDER BY state = 'planned', created_at LIMIT 1
    ) d ON true
    LEFT JOIN documents p ON p.invoice_id = i.id AND p.revision = t.revision AND p.locale = t.locale
    LEFT JOIN suppressions s
      ON s.company_id = i.company_id AND s.address = lower(coalesce(d.recipient, u.email) COLLATE "C")`.execute(
    db,
  );
  const found = new Map(rows.map((row) => [Number(row.n), factsOf(row)]));
  return mails.map((_, n) => found.get(n + 1));
}

function factsOf({ delivery, document, suppressedBecause, ...row }: Row): MailFacts {
  const { n: _, customerName, customerEmail, legalName, companyEmail, ...others } = row;
  const { phone, website, mailFromName, mailFromAddress, ...invoice } = others;
  return {
    invoice,
    company: { legalName, email: companyEmail, phone, website, mailFromName, mailFromAddress },
    customer: { name: customerName, email: customerEmail },
    delivery: delivery ?? undefined,
    document: document ?? undefined,
    suppressedBecause: suppressedBecause ?? undefined,
  };
}
