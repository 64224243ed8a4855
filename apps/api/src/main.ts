import { awaitDatabase, changedSince, openRunStore } from "@ballast/database";
import {
  createRequests,
  openEngine,
  startDispatcher,
  startReconciler,
  watchFitness,
} from "@ballast/jobs";
import { runService } from "@ballast/service";
import { openObjectStore } from "@ballast/storage";
import { startAdmission } from "./admission.ts";
import { createApp } from "./app.ts";
import { loadConfig } from "./config.ts";
import { startGateCensus } from "./gate-census.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { startInvoiceRuns } from "./invoice-runs/driver.ts";
import { openJobWatch } from "./jobs/job-watch.ts";
import { groupJobWishes } from "./jobs/job-wishes.ts";
import { groupRenderWishes } from "./jobs/render-wishes.ts";
import { startQueueCensus } from "./queue-census.ts";
import { startReplays } from "./replays/driver.ts";
import { startSchedules } from "./schedules/clock.ts";
import { serve } from "./server.ts";
import { groupStockChanges } from "./stock/group-commit.ts";

await runService(
  "api",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log } = telemetry;
    await using database = await awaitDatabase(config.database.url, {
      applicationName: "api",
      poolMax: config.database.poolMax,
      log,
      stopping: telemetry.stopping,
    });
    await using documents = await openObjectStore(config.storage.url, config.storage.credentials);
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    const store = openRunStore(database);
    using admission = startAdmission({
      database,
      engine,
      limits: config.admission,
      log,
      metrics: telemetry.metrics,
    });
    const fitness = watchFitness(engine, telemetry);
    const mustWait = () => !fitness.isFit;
    const engineIsFull = () => mustWait() || admission.engineIsFull;
    await using dispatcher = await startDispatcher({ store, engine, telemetry, engineIsFull });
    await using _reconciler = startReconciler({ store, engine, telemetry, mustWait });
    await using _housekeeping = startHousekeeping(database, config.history, log);
    await using _gates = startGateCensus(database, telemetry.metrics, log);
    await using census = new AsyncDisposableStack();
    for (const rounds of startQueueCensus({ database, engine, metrics: telemetry.metrics, log }))
      census.use(rounds);
    await using jobWatch = openJobWatch({
      changedSince: (runIds, changeNo) => changedSince(database.kysely, runIds, changeNo),
      log,
    });
    const requests = createRequests({ store, dispatcher });
    await using _replays = startReplays({ database, requests, dispatcher, log });
    await using _invoiceRuns = startInvoiceRuns({ database, requests, dispatcher, log });
    await using _schedules = startSchedules({
      database,
      requests,
      dispatcher,
      log,
      metrics: telemetry.metrics,
    });
    const { limits, keys } = config;
    const stockChanges = groupStockChanges({ database, requests, dispatcher });
    const renderWishes = groupRenderWishes({ database, requests });
    const jobWishes = groupJobWishes(requests);
    const parts = { database, documents, engine, requests, dispatcher, jobWatch, admission };
    const groups = { stockChanges, renderWishes, jobWishes };
    const app = createApp({ ...parts, ...groups, ...(keys && { keys }), telemetry, limits });
    const serving = serve(app, config.listen, telemetry, () => database.ping());
    await Promise.race([serving, fitness.refused]);
  },
);
