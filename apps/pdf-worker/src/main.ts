import { pdf } from "@ballast/contracts";
import { awaitDatabase, openRemoteStore, openRunStore } from "@ballast/database";
import {
  createRequests,
  gateLog,
  openEngine,
  openRemoteGuard,
  runWorker,
  throughGuard,
} from "@ballast/jobs";
import { runService } from "@ballast/service";
import { gatedStore, openObjectStore } from "@ballast/storage";
import { loadConfig } from "./config.ts";
import { renderInvoiceHandler } from "./handlers/render-invoice.ts";
import { openPrinter } from "./printer.ts";
import { printerMetrics } from "./printer-metrics.ts";

await runService(
  "pdf-worker",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log, tracer } = telemetry;
    const { concurrency, storage } = config;
    await using database = await awaitDatabase(config.database.url, {
      applicationName: "pdf-worker",
      poolMax: config.database.poolMax,
      log,
      stopping: telemetry.stopping,
    });
    await using objects = await openObjectStore(storage.url, storage.credentials);
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    const metrics = printerMetrics(telemetry.metrics);
    await using printer = await openPrinter({ ...config.printer, log, metrics });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));
    telemetry.readiness("browser", () => printer.ping());

    const remotes = openRemoteStore(database);
    const observer = gateLog(log);
    const documents = gatedStore(objects, storage.url, (key) => {
      const remote = { kind: "storage", key } as const;
      return throughGuard(openRemoteGuard({ store: remotes, remote, observer, tracer }));
    });
    const store = openRunStore(database);
    const requests = createRequests({ store });
    const handler = renderInvoiceHandler({ database, documents, printer, requests, tracer });
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
