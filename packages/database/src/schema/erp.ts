import type { Generated } from "kysely";
import type { Address, TaxId } from "../address.ts";
import type { CompanyFacts } from "../companies.ts";
import type { CustomerFacts } from "../customers.ts";
import type { MailPurpose } from "../deliveries.ts";
import type { Day, Json, Timestamp } from "./columns.ts";

export type InvoiceState = "draft" | "issued" | "paid" | "void";
export type DeliveryState = "planned" | "sending" | "sent" | "rejected" | "unknown" | "suppressed";

/** What is invoiced, by whom, to whom, and what became of it. */
export interface ErpTables {
  companies: {
    id: string;
    legalName: string;
    address: Json<Address>;
    taxIds: Json<TaxId[]>;
    iban: string | null;
    bic: string | null;
    bankName: string | null;
    currency: string;
    timeZone: string;
    email: string | null;
    phone: string | null;
    website: string | null;
    mailFromName: string;
    mailFromAddress: string;
    numberPrefix: string;
    nextInvoiceNumber: Generated<number>;
    createdAt: Timestamp;
    updatedAt: Timestamp;
  };
  customers: {
    id: string;
    companyId: string;
    name: string;
    address: Json<Address>;
    email: string | null;
    locale: string;
    taxId: string | null;
    createdAt: Timestamp;
    updatedAt: Timestamp;
  };
  products: {
    companyId: string;
    sku: string;
    name: string;
    unitPriceMinor: bigint;
    currency: string;
    updatedAt: Timestamp;
  };
  invoices: {
    id: string;
    companyId: string;
    customerId: string;
    state: Generated<InvoiceState>;
    number: string | null;
    revision: Generated<number>;
    currency: string;
    locale: string;
    issueDate: Day | null;
    dueDate: Day | null;
    paymentTerms: string | null;
    notes: string | null;
    netMinor: bigint;
    taxMinor: bigint;
    grossMinor: bigint;
    issuedSnapshot: Json<{ company: CompanyFacts; customer: CustomerFacts }> | null;
    issuedAt: Date | null;
    paidAt: Date | null;
    voidedAt: Date | null;
    createdAt: Timestamp;
    updatedAt: Timestamp;
  };
  invoiceLines: {
    invoiceId: string;
    companyId: string;
    position: number;
    sku: string | null;
    description: string;
    quantity: string;
    unit: string;
    unitPriceMinor: bigint;
    taxRate: string;
    netMinor: bigint;
  };
  documents: {
    id: string;
    companyId: string;
    invoiceId: string;
    revision: number;
    locale: string;
    objectKey: string;
    mailBodyKey: string | null;
    sha256: string;
    pageCount: number;
    sizeBytes: number;
    createdAt: Timestamp;
  };
  emailDeliveries: {
    id: string;
    companyId: string;
    invoiceId: string;
    revision: number;
    purpose: MailPurpose;
    recipient: string;
    ordinal: number;
    reason: string | null;
    state: Generated<DeliveryState>;
    fence: Generated<number>;
    leaseUntil: Date | null;
    messageId: string;
    response: string | null;
    errorCode: string | null;
    errorMessage: string | null;
    createdAt: Timestamp;
    sentAt: Date | null;
  };
  suppressions: {
    companyId: string;
    address: string;
    reason: string;
    createdAt: Timestamp;
  };
}
