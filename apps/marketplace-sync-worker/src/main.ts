import { marketplaceSync } from "@ballast/contracts";
import { awaitDatabase, openRemoteStore, openRunStore } from "@ballast/database";
import { createRequests, openEngine, runWorker } from "@ballast/jobs";
import { runService } from "@ballast/service";
import { accountGuards } from "./accounts/account-guards.ts";
import { openAccounts } from "./accounts/open-accounts.ts";
import { startResealing } from "./accounts/resealing.ts";
import { startReviving } from "./accounts/reviving.ts";
import { loadConfig } from "./config.ts";
import { pushListingHandler } from "./handlers/push-listing.ts";
import { pushStockHandler } from "./handlers/push-stock.ts";
import { reconcileStockHandler } from "./handlers/reconcile-stock.ts";
import { openRemoteHttp } from "./http/remote-http.ts";
import { traceCalls } from "./http/trace-calls.ts";

await runService(
  "marketplace-sync-worker",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { log, metrics, tracer } = telemetry;
    const { keys, concurrency, pushBudgetMs: budgetMs, allowPrivate } = config;
    await using database = await awaitDatabase(config.database.url, {
      applicationName: "marketplace-sync-worker",
      poolMax: config.database.poolMax,
      log,
      stopping: telemetry.stopping,
    });
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    await using http = openRemoteHttp({ log, allowPrivate });
    await using _resealing = startResealing(database, keys, log);
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));

    const store = openRunStore(database);
    const requests = createRequests({ store });
    await using _reviving = startReviving({ database, requests, log });
    const db = database.kysely;
    const guardOf = accountGuards(openRemoteStore(database), log, tracer);
    const onCall = (marketplace: string, status: string) =>
      metrics.marketplaceCalls.inc({ marketplace, status });
    const openAccount = openAccounts({ db, keys, http: traceCalls(http, tracer), guardOf, onCall });
    const parts = { database, requests, openAccount };
    const handlers = [
      pushStockHandler({
        ...parts,
        budgetMs,
        onItems: (marketplace, outcome, count) =>
          metrics.stockItems.inc({ marketplace, outcome }, count),
      }),
      pushListingHandler(parts),
      reconcileStockHandler({
        ...parts,
        onDrift: (marketplace, { kind: drift, action }) =>
          metrics.stockDrift.inc({ marketplace, drift, action }),
      }),
    ];
    const queue = marketplaceSync;
    await runWorker({ queue, handlers, engine, store, telemetry, concurrency });
  },
);
