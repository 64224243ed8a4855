import { deadLetter, privateFieldsOf } from "@ballast/contracts";
import { awaitDatabase, openRemoteStore, openRunStore } from "@ballast/database";
import {
  createRequests,
  gateLog,
  openEngine,
  openRemoteGuard,
  runWorker,
  startDispatcher,
} from "@ballast/jobs";
import { runService } from "@ballast/service";
import { askForAlerts } from "./alerts/ask-for-alerts.ts";
import { judgeChannel } from "./channels/gate.ts";
import { openChannels } from "./channels/open-channels.ts";
import { loadConfig } from "./config.ts";
import { sendAlertHandler } from "./handlers/send-alert.ts";
import { updateTicketHandler } from "./handlers/update-ticket.ts";
import { startCensus } from "./rounds/census.ts";
import { startClearing } from "./rounds/clearing.ts";
import { startFiling } from "./rounds/filing.ts";
import { startGateWatch } from "./rounds/gate-watch.ts";
import { startRetention } from "./rounds/retention.ts";
import { startSweeping } from "./rounds/sweeping.ts";
import { openTicketSystem } from "./tickets/open-ticket-system.ts";

await runService(
  "dlq-notifier",
  () => loadConfig(process.env),
  async ({ config, telemetry }) => {
    const { apiUrl } = config;
    const { log, metrics, tracer } = telemetry;
    await using database = await awaitDatabase(config.database.url, {
      applicationName: "dlq-notifier",
      poolMax: config.database.poolMax,
      log,
      stopping: telemetry.stopping,
    });
    await using engine = openEngine(config.queue.url, { log, prefix: config.queue.prefix });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));

    const store = openRunStore(database);
    const remotes = openRemoteStore(database);
    const guarding = { store: remotes, observer: gateLog(log), judge: judgeChannel, tracer };
    const guardOf = (key: string) =>
      openRemoteGuard({ ...guarding, remote: { kind: "channel", key } });
    const channels = openChannels(config.channels, guardOf);
    const tickets = openTicketSystem(config.tickets, guardOf);
    const tell = askForAlerts(createRequests({ store }), [...channels.keys()]);
    const onResult = (channel: string, result: string) => metrics.alerts.inc({ channel, result });
    const onWithheld = () => onResult("none", "withheld");

    // Alerts must not depend on the API, so this process hands over runs too.
    await using _dispatcher = await startDispatcher({ store, engine, telemetry });
    await using _filing = await startFiling({ database, tell, privateFieldsOf, log, onWithheld });
    await using _gates = startGateWatch({
      database,
      tell,
      closedForMs: config.gateClosedForMs,
      log,
    });
    await using _sweeping = startSweeping({ engine, store, telemetry });
    await using _clearing = startClearing({ database, engine, log });
    await using _retention = startRetention(database, config.letters, log);
    await using _census = startCensus(database, metrics, log);

    const db = database.kysely;
    const handlers = [
      sendAlertHandler({ db, channels, privateFieldsOf, apiUrl, onResult }),
      updateTicketHandler({ db, tickets, privateFieldsOf, apiUrl }),
    ];
    log.info({ channels: [...channels.keys()], tickets: tickets?.name ?? null }, "notifier set up");
    await runWorker({ queue: deadLetter, handlers, engine, store, telemetry });
  },
);
