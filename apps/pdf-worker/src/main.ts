import { pdf } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { createRequests, openEngine, runWorker } from "@ballast/jobs";
import { runService } from "@ballast/service";
import { openObjectStore } from "@ballast/storage";
import { loadConfig } from "./config.ts";
import { renderInvoiceHandler } from "./handlers/render-invoice.ts";
import { openPrinter } from "./printer.ts";
import { printerMetrics } from "./printer-metrics.ts";

await runService(
  "pdf-worker",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log } = telemetry;
    const { concurrency } = config;
    await using database = await openDatabase(config.database.url, {
      applicationName: "pdf-worker",
      poolMax: config.database.poolMax,
      log,
    });
    await using documents = await openObjectStore(config.storage.url, config.storage.credentials);
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    const metrics = printerMetrics(telemetry.metrics);
    await using printer = await openPrinter({ ...config.printer, log, metrics });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));
    telemetry.readiness("browser", () => printer.ping());

    const store = openRunStore(database);
    const requests = createRequests({ store });
    const handler = renderInvoiceHandler({ database, documents, printer, requests });
    await runWorker({
      queue: pdf,
      handlers: [handler],
      engine,
      store,
      telemetry,
      concurrency,
    });
  },
);
