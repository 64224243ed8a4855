import { email } from "@ballast/contracts";
import { awaitDatabase, openRemoteStore, openRunStore } from "@ballast/database";
import {
  createRequests,
  gateLog,
  openEngine,
  openRemoteGuard,
  type Remote,
  runWorker,
  throughGuard,
} from "@ballast/jobs";
import { runService } from "@ballast/service";
import { gatedStore, openObjectStore } from "@ballast/storage";
import { loadConfig } from "./config.ts";
import { paymentReminderHandler } from "./handlers/payment-reminder.ts";
import { remindDebtorsHandler } from "./handlers/remind-debtors.ts";
import { sendInvoiceHandler } from "./handlers/send-invoice.ts";
import type { SendResult } from "./smtp/classify.ts";
import { createMailer } from "./smtp/mailer.ts";

await runService(
  "email-worker",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log, metrics, tracer } = telemetry;
    const { concurrency, maxAttachmentBytes, smtp, storage } = config;
    await using database = await awaitDatabase(config.database.url, {
      applicationName: "email-worker",
      poolMax: config.database.poolMax,
      log,
      stopping: telemetry.stopping,
    });
    await using objects = await openObjectStore(storage.url, storage.credentials);
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    await using mailer = createMailer(smtp, ({ busy, idle }) => {
      metrics.smtpConnections.set({ state: "busy" }, busy);
      metrics.smtpConnections.set({ state: "idle" }, idle);
    });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));

    const remotes = openRemoteStore(database);
    const guardOf = (remote: Remote) =>
      openRemoteGuard({ store: remotes, remote, observer: gateLog(log), tracer });
    const store = openRunStore(database);
    const requests = createRequests({ store });
    const mailing = {
      database,
      mailer,
      guard: guardOf({ kind: "smtp", key: `${smtp.host}:${smtp.port}` }),
      onResult: (result: SendResult["kind"]) => metrics.mails.inc({ result }),
    };
    const documents = gatedStore(objects, storage.url, (key) =>
      throughGuard(guardOf({ kind: "storage", key })),
    );
    const handlers = [
      sendInvoiceHandler({ ...mailing, documents, requests, maxAttachmentBytes }),
      paymentReminderHandler(mailing),
      remindDebtorsHandler({ database, requests }),
    ];
    await runWorker({ queue: email, handlers, engine, store, telemetry, concurrency });
  },
);
