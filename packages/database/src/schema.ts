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
export type IncidentState = "open" | "ticketed" | "resolved" | "ignored";
export type LetterState = "open" | "replayed" | "discarded";
export type AlertKind = "opened" | "grown" | "reopened" | "resolved";
export type ReplayState = "canary" | "running" | "stopped" | "cancelled" | "completed";
export type ApiScope = "read" | "write" | "operate";

interface JobRunRow {
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
  suspectSince: Date | null;
  runningAlone: Generated<boolean>;
  crashesAlone: Generated<number>;
}

interface JobRequestRow {
  id: string;
  runId: string;
  requestedBy: string | null;
  traceparent: string | null;
  joined: boolean;
  createdAt: Timestamp;
  cancelledAt: Date | null;
}

interface JobAttemptRow {
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
}

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
  jobRuns: JobRunRow;
  jobRequests: JobRequestRow;
  jobAttempts: JobAttemptRow;
  jobRunsHistory: JobRunRow;
  jobRequestsHistory: JobRequestRow & {
    finishedAt: Date;
    queue: string;
    state: "completed" | "dead" | "cancelled";
    companyId: string | null;
    subject: string | null;
  };
  jobAttemptsHistory: JobAttemptRow & { finishedAt: Date };
  /** Views of what lives and what moved to history. */
  allJobRuns: JobRunRow;
  allJobRequests: JobRequestRow;
  allJobAttempts: JobAttemptRow;
  marks: { name: string; value: string; writtenAt: Timestamp };
  incidents: {
    id: string;
    queue: string;
    fingerprint: string;
    job: string;
    code: string | null;
    title: string;
    state: Generated<IncidentState>;
    deathCount: Generated<bigint>;
    firstSeenAt: Date;
    lastSeenAt: Date;
    workerVersions: Generated<string[]>;
    countedFrom: Generated<bigint>;
    nextAlertAt: Generated<bigint>;
    ignoredUntil: Date | null;
    ignoredAbove: bigint | null;
    resolvedAt: Date | null;
    reopenedCount: Generated<number>;
    ticketSystem: string | null;
    ticketId: string | null;
    ticketUrl: string | null;
    ticketToldCount: bigint | null;
    ticketWantedCount: bigint | null;
    resolvedToldAt: Date | null;
  };
  deadLetters: {
    runId: string;
    queue: string;
    engineJobId: string;
    job: string;
    version: number;
    payload: Json<Record<string, unknown>>;
    companyId: string | null;
    subject: string | null;
    priority: number;
    code: string | null;
    message: string | null;
    stack: string | null;
    worker: string | null;
    traceparent: string | null;
    attemptsMade: number;
    generation: number;
    replayOf: string | null;
    origin: "request" | "external" | "replay";
    askedAt: Date;
    diedAt: Date;
    parkedAt: Timestamp;
    sizeBytes: number;
    fingerprint: string | null;
    incidentId: string | null;
    state: Generated<LetterState>;
    settledAt: Date | null;
    settledBy: string | null;
    settledReason: string | null;
    replayRunId: string | null;
    replayRequestId: string | null;
    engineClearedAt: Date | null;
  };
  alerts: {
    id: string;
    incidentId: string;
    kind: AlertKind;
    deathCount: bigint;
    createdAt: Timestamp;
  };
  alertDeliveries: { alertId: string; channel: string; response: string; sentAt: Timestamp };
  operatorActions: {
    id: string;
    at: Timestamp;
    actor: string;
    action: string;
    targetKind: string;
    targetId: string;
    companyId: string | null;
    subject: string | null;
    reason: string | null;
    before: Json<unknown> | null;
    after: Json<unknown> | null;
  };
  queueStates: {
    queue: string;
    paused: boolean;
    reason: string;
    changedBy: string;
    changedAt: Timestamp;
    engineToldAt: Date | null;
  };
  replays: {
    id: string;
    queue: string;
    companyId: string | null;
    filter: Json<Record<string, unknown>>;
    ratePerSecond: number;
    canaryCount: number;
    stopShare: number;
    reason: string;
    requestedBy: string;
    state: Generated<ReplayState>;
    stopReason: string | null;
    createdAt: Timestamp;
    judgedFrom: Timestamp;
    pacedFrom: Date | null;
    pacedCount: Generated<number>;
    finishedAt: Date | null;
    driver: string | null;
    drivenUntil: Date | null;
  };
  replayLetters: {
    replayId: string;
    runId: string;
    position: number;
    state: Generated<"pending" | "replayed" | "skipped">;
    skipCode: string | null;
    skipMessage: string | null;
    newRunId: string | null;
    doneAt: Date | null;
  };
}
