import type { ColumnType, Generated } from "kysely";
import type { Address, TaxId } from "./address.ts";
import type { CompanyFacts } from "./companies.ts";
import type { CustomerFacts } from "./customers.ts";

/** `jsonb` of shape `T`: read parsed, written as a JSON string, since pg would turn arrays into SQL arrays. */
export type Json<T> = ColumnType<T, string, string>;
/** Set by the database at insert. */
type Timestamp = ColumnType<Date, Date | undefined, Date>;
/** `date`, read as `YYYY-MM-DD`: a calendar day has no time zone to be shifted by. */
type Day = string;

export type InvoiceState = "draft" | "issued" | "paid" | "void";
export type DeliveryState = "planned" | "sending" | "sent" | "rejected" | "unknown" | "suppressed";
export type ApiScope = "read" | "write" | "operate";

/** Every table by name, in camelCase; the plugin in `database.ts` translates to snake_case. */
export interface Schema {
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
    purpose: string;
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
  apiKeys: {
    id: string;
    name: string;
    prefix: string;
    hash: Buffer;
    companyId: string | null;
    scopes: ApiScope[];
    createdAt: Timestamp;
    revokedAt: Date | null;
    lastUsedAt: Date | null;
  };
  idempotencyKeys: {
    apiKeyId: string;
    key: string;
    owner: string;
    method: string;
    path: string;
    bodyHash: string;
    state: Generated<"in_flight" | "done">;
    status: number | null;
    headers: Json<Record<string, string>> | null;
    body: string | null;
    createdAt: Timestamp;
  };
  jobRuns: {
    id: string;
    queue: string;
    engineJobId: string;
    job: string;
    version: number;
    payload: Json<Record<string, unknown>>;
    companyId: string | null;
    subject: string | null;
    slot: string | null;
    state: Generated<"waiting" | "started" | "completed" | "dead" | "cancelled">;
    priority: number;
    dueAt: Date | null;
    deadlineAt: Date;
    heldFor: string | null;
    generation: Generated<number>;
    replayOf: string | null;
    origin: Generated<"request" | "external" | "replay">;
    createdAt: Timestamp;
    claimedUntil: Date | null;
    handedAt: Date | null;
    touchedAt: Date | null;
    startedAt: Date | null;
    finishedAt: Date | null;
    attemptsMade: Generated<number>;
    runningAttemptId: string | null;
    runningSince: Date | null;
    runningOn: string | null;
    nextAttemptAt: Date | null;
    waitCode: string | null;
    waitMessage: string | null;
    progress: Json<unknown> | null;
    result: Json<unknown> | null;
    errorCode: string | null;
    errorMessage: string | null;
    cancelRequestedAt: Date | null;
    changeNo: Generated<bigint>;
  };
  jobRequests: {
    id: string;
    runId: string;
    requestedBy: string | null;
    traceparent: string | null;
    joined: boolean;
    createdAt: Timestamp;
    cancelledAt: Date | null;
  };
  jobAttempts: {
    id: string;
    runId: string;
    startedAt: Date | null;
    endedAt: Date;
    outcome: string;
    code: string | null;
    message: string | null;
    stack: string | null;
    nextAttemptAt: Date | null;
    worker: string | null;
  };
  marks: { name: string; value: string; writtenAt: Timestamp };
}
