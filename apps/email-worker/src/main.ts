import { email } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { createRequests, openEngine, runWorker } from "@ballast/jobs";
import { runService } from "@ballast/service";
import { openObjectStore } from "@ballast/storage";
import { loadConfig } from "./config.ts";
import { sendInvoiceHandler } from "./handlers/send-invoice.ts";
import { createMailer } from "./smtp/mailer.ts";

await runService(
  "email-worker",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log, metrics } = telemetry;
    const { concurrency, maxAttachmentBytes } = config;
    await using database = await openDatabase(config.database.url, {
      applicationName: "email-worker",
      poolMax: config.database.poolMax,
      log,
    });
    await using documents = await openObjectStore(config.storage.url, config.storage.credentials);
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    await using mailer = createMailer(config.smtp, ({ busy, idle }) => {
      metrics.smtpConnections.set({ state: "busy" }, busy);
      metrics.smtpConnections.set({ state: "idle" }, idle);
    });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));

    const store = openRunStore(database);
    const handler = sendInvoiceHandler({
      database,
      documents,
      mailer,
      requests: createRequests({ store }),
      maxAttachmentBytes,
      onResult: (result) => metrics.mails.inc({ result }),
    });
    const queue = email;
    await runWorker({ queue, handlers: [handler], engine, store, telemetry, concurrency });
  },
);
