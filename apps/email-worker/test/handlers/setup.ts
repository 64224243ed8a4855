import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type PayloadInput, sendInvoice } from "@ballast/contracts";
import {
  type Delivery,
  listDeliveries,
  openRemoteStore,
  openRunStore,
  recordDocument,
} from "@ballast/database";
import { type Attempt, createRequests, type Log, openRemoteGuard } from "@ballast/jobs";
import { type ObjectStore, openObjectStore } from "@ballast/storage";
import {
  createTestDatabase,
  type SeededInvoice,
  type SmtpServerDouble,
  type SmtpServerOptions,
  seedIssuedInvoice,
  startSmtpServer,
  type TestDatabase,
} from "@ballast/testing";
import { type SendInvoiceDeps, sendInvoiceHandler } from "../../src/handlers/send-invoice.ts";
import { createMailer } from "../../src/smtp/mailer.ts";
import { SMTP_TIMEOUTS, smtpSettings } from "../../src/smtp/settings.ts";

export const PDF = Buffer.from(`%PDF-1.7\n${"a document of some length ".repeat(400)}`);

/** A server that fell silent is waited for: a test says what ends the wait, and this machine may be slow. */
const ENDLESS = { ...SMTP_TIMEOUTS, socketMs: 600_000, sendMs: 600_000 };

export interface Setup extends SeededInvoice, AsyncDisposable {
  readonly database: TestDatabase["db"];
  readonly documents: ObjectStore;
  readonly server: SmtpServerDouble;
  readonly payload: PayloadInput<typeof sendInvoice>;
  /** Where the PDF stands, and its base64 beside it. */
  readonly objectKey: string;
  /** What became of each mail handed to the server. */
  readonly results: readonly string[];
  /** Run the handler once, as the runtime would. */
  attempt(change?: Partial<Attempt<unknown>>): Promise<{ messageId: string; response: string }>;
  deliveries(): Promise<Delivery[]>;
}

interface SetupOptions {
  readonly seed?: Parameters<typeof seedIssuedInvoice>[1];
  readonly smtp?: SmtpServerOptions;
  /** Default `true`: PDF and base64 are stored and recorded. */
  readonly rendered?: boolean;
  readonly mailBody?: Buffer | null;
  readonly deps?: Partial<SendInvoiceDeps>;
}

/** A database with one issued invoice, its rendered document, and a mail server. */
export async function setup(options: SetupOptions = {}): Promise<Setup> {
  await using opening = new AsyncDisposableStack();
  const { db: database } = opening.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "ballast-email-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const documents = opening.use(await openObjectStore(pathToFileURL(folder).href));
  const server = opening.use(await startSmtpServer(options.smtp));
  const mailer = opening.use(createMailer({ ...smtpSettings(server.url), timeouts: ENDLESS }));

  const seeded = await seedIssuedInvoice(database, options.seed);
  const { id: invoiceId, companyId, revision } = seeded.invoice;
  const objectKey = keyOf(seeded.invoice);
  if (options.rendered !== false)
    await storeDocument(database, documents, seeded.invoice, options.mailBody);

  const results: string[] = [];
  const handler = sendInvoiceHandler({
    database,
    documents,
    mailer,
    guard: openRemoteGuard({
      store: openRemoteStore(database),
      remote: { kind: "smtp", key: "the mail server" },
    }),
    requests: createRequests({ store: openRunStore(database) }),
    maxAttachmentBytes: 1_000_000,
    onResult: (kind) => results.push(kind),
    ...options.deps,
  });
  const payload = { invoiceId, revision, locale: "de-DE" as const };
  const resources = opening.move();
  return {
    ...seeded,
    database,
    documents,
    server,
    payload,
    objectKey,
    results,
    attempt: (change = {}) =>
      handler.run({
        ...anAttempt(companyId, sendInvoice.payload.parse(payload)),
        ...change,
      } as Attempt<never>) as Promise<{
        messageId: string;
        response: string;
      }>,
    deliveries: () => listDeliveries(database.kysely, companyId, invoiceId),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const keyOf = (invoice: SeededInvoice["invoice"]) =>
  `invoices/${invoice.id}.r${invoice.revision}.de-DE.pdf`;

/** Store the PDF of an invoice and its base64, unless that is `null`, and record them, as the PDF worker does. */
export async function storeDocument(
  database: TestDatabase["db"],
  documents: ObjectStore,
  invoice: SeededInvoice["invoice"],
  mailBody: Buffer | null = base64Lines(PDF),
): Promise<void> {
  const objectKey = keyOf(invoice);
  const mailBodyKey = mailBody === null ? null : `${objectKey}.b64`;
  await documents.put(objectKey, PDF, { contentType: "application/pdf" });
  if (mailBody !== null && mailBodyKey !== null)
    await documents.put(mailBodyKey, mailBody, { contentType: "text/plain" });
  await recordDocument(database.kysely, {
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    revision: invoice.revision,
    locale: "de-DE",
    objectKey,
    mailBodyKey,
    sha256: createHash("sha256").update(PDF).digest("hex"),
    pageCount: 1,
    sizeBytes: PDF.length,
  });
}

export const anAttempt = (companyId: string | null, payload: unknown): Attempt<unknown> => ({
  payload,
  signal: new AbortController().signal,
  log: silence,
  progress: () => {},
  lease: stopSwitch().lease,
  runId: randomUUID(),
  requestId: randomUUID(),
  attemptId: randomUUID(),
  attempt: 1,
  companyId,
  subject: null,
  traceparent: null,
});

/**
 * What the runtime gives an attempt to be stopped by: `stop` aborts at once outside of a step, and
 * waits for the step's end inside; `cut` does not wait.
 */
export function stopSwitch() {
  const soft = new AbortController();
  const hard = new AbortController();
  const reason = new Error("let go");
  let told = false;
  let steps = 0;
  const check = () => {
    if (told) throw reason;
  };
  const lease: Attempt<unknown>["lease"] = {
    check,
    async step(irreversible) {
      check();
      steps += 1;
      try {
        return await irreversible(hard.signal);
      } finally {
        steps -= 1;
        if (told) soft.abort(reason);
      }
    },
  };
  return {
    signal: soft.signal,
    lease,
    stop() {
      told = true;
      if (steps === 0) soft.abort(reason);
    },
    cut() {
      told = true;
      hard.abort(reason);
      soft.abort(reason);
    },
  };
}

const silence: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silence,
};

/** Lines of 76 characters that end in CRLF, as the PDF worker stores them. */
export const base64Lines = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.toString("base64").replace(/.{1,76}/g, "$&\r\n"));
