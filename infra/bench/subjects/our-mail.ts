/** The email worker's handler: the ledger before and after each mail, the PDF's base64 as it was stored. */
import { randomUUID } from "node:crypto";
import { sendInvoice } from "@ballast/contracts";
import { openDatabase, openRemoteStore, openRunStore } from "@ballast/database";
import { type Attempt, createRequests, type Handler, openRemoteGuard } from "@ballast/jobs";
import { openTelemetry } from "@ballast/service";
import { openObjectStore } from "@ballast/storage";
import { sendInvoiceHandler } from "../../../apps/email-worker/src/handlers/send-invoice.ts";
import { createMailer } from "../../../apps/email-worker/src/smtp/mailer.ts";
import { smtpSettings } from "../../../apps/email-worker/src/smtp/settings.ts";
import { atATime, measured, serveSubject } from "../src/subject-program.ts";

interface Stores {
  readonly databaseUrl: string;
  readonly storageUrl: string;
  readonly port: number;
  readonly connections: number;
}

const { signal } = new AbortController();
const { telemetry } = openTelemetry({ service: "bench", level: "warn", stopping: signal });
let handler: Handler | undefined;

serveSubject({
  open: async ({ databaseUrl, storageUrl, port, connections }: Stores) => {
    const database = await openDatabase(databaseUrl, {
      applicationName: "bench",
      poolMax: 5,
      connectTimeoutMs: 60_000,
    });
    const smtp = smtpSettings(`smtp://127.0.0.1:${port}`, { maxConnections: connections });
    const remote = { kind: "smtp", key: `${smtp.host}:${smtp.port}` } as const;
    handler = sendInvoiceHandler({
      database,
      documents: await openObjectStore(storageUrl),
      mailer: createMailer(smtp),
      guard: openRemoteGuard({ store: openRemoteStore(database), remote }),
      requests: createRequests({ store: openRunStore(database) }),
      maxAttachmentBytes: 1_000_000,
    });
    return {};
  },
  send: async ({ invoiceIds, width }: { invoiceIds: readonly string[]; width: number }) => {
    if (handler === undefined) throw new Error("ask to open it first");
    const { run } = handler;
    return await measured(invoiceIds.length, () =>
      atATime(width, invoiceIds.length, (n) =>
        run(attemptOf({ invoiceId: invoiceIds[n] ?? "", revision: 1, locale: "de-DE" })),
      ),
    );
  },
});

const attemptOf = (payload: object): Attempt<never> => {
  const attempt: Attempt<unknown> = {
    payload: sendInvoice.payload.parse(payload),
    signal,
    log: telemetry.log,
    progress() {},
    lease: { check() {}, step: (work) => work(signal) },
    runId: randomUUID(),
    requestId: randomUUID(),
    attemptId: randomUUID(),
    attempt: 1,
    companyId: null,
    subject: null,
    traceparent: null,
  };
  return attempt as Attempt<never>;
};
