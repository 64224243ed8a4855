/**
 * `npm start`: the whole of Ballast on this machine, with nothing installed before.
 *
 *   npm start                     start everything, send one invoice on its way, stay up
 *   npm start -- --once --json    stop after that; one line of JSON on stdout tells how it went
 */
import { mkdirSync } from "node:fs";
import { migrate, openDatabase } from "@ballast/database";
import { prepareEngine } from "@ballast/jobs";
import { apiClient } from "./api-client.ts";
import { dataDirFrom } from "./checkout.ts";
import { ensureChromium } from "./chromium.ts";
import { chooseEngine, describeEngine, openEngine } from "./engine.ts";
import { endChildrenAtOnce, endLeftovers, recordProcess, stack } from "./leftovers.ts";
import { startMailCatcher } from "./mail-catcher.ts";
import { startMarketplace } from "./marketplace.ts";
import { operatorKey } from "./operator-key.ts";
import { startPostgres } from "./postgres.ts";
import { reminderTour } from "./reminder-tour.ts";
import { reasonOf, say } from "./say.ts";
import { seed } from "./seed.ts";
import { startServices } from "./services.ts";
import { readStartOptions } from "./start-options.ts";
import { stockTour } from "./stock-tour.ts";
import { listenForStop, StoppedError, untilStopped } from "./stop-signals.ts";
import { tour } from "./tour.ts";

const began = performance.now();
const elapsedMs = () => Math.round(performance.now() - began);
const dataDir = dataDirFrom(process.env);

/** The one line on stdout that `--json` promises, whatever happens after it. */
let printed = false;
function printJson(answer: object): void {
  if (printed || !process.argv.includes("--json")) return;
  printed = true;
  console.log(JSON.stringify(answer));
}

async function start(options: ReturnType<typeof readStartOptions>, stopping: AbortSignal) {
  mkdirSync(dataDir, { recursive: true });
  for (const ended of await endLeftovers(dataDir, true)) say(`ended a leftover: ${ended}`);
  using _record = { [Symbol.dispose]: recordProcess(dataDir, process.pid, stack) };
  stopping.throwIfAborted();

  await using postgres = await startPostgres({ dataDir, name: "postgres", durable: true });
  say(`PostgreSQL is up, its data is in ${postgres.clusterDir}`);
  const choice = chooseEngine(process.env["QUEUE_URL"]);
  say(describeEngine(choice));
  await using engine = await openEngine(choice, { dataDir, databaseUrl: postgres.url });
  await migrate(postgres.url);
  await prepareEngine(engine.url);

  await using mails = await startMailCatcher();
  await using marketplace = await startMarketplace();
  const chromium = ensureChromium(process.env);
  await using services = await startServices({
    dataDir,
    databaseUrl: postgres.url,
    queueUrl: engine.url,
    smtpUrl: mails.smtpUrl,
    chromium,
    apiPort: options.apiPort,
    signal: stopping,
  });

  await using database = await openDatabase(postgres.url, { applicationName: "local", poolMax: 2 });
  const { key, file } = await operatorKey(database, dataDir);
  const api = apiClient(services.apiUrl, key, stopping);
  say(`sample data is there: ${await seed(api, database)}`);
  const invoice = await tour({ api, mailbox: mails.mailbox, dataDir, signal: stopping });
  const stock = await stockTour(api, marketplace, stopping);
  const reminder = await reminderTour(api, mails.mailbox, stopping);
  const result = { ...invoice, stock, reminder };
  printJson({ ok: true, engine: engine.kind, ...result, elapsedMs: elapsedMs() });
  if (options.once) return;

  say(`everything is up after ${(elapsedMs() / 1_000).toFixed(1)} s. Ctrl-C stops it.`);
  const place = (what: string, where: string) => say(`  ${what.padEnd(35)} ${where}`);
  place("API, with a page to try it", `${services.apiUrl}/docs   (API key: ${file})`);
  place("raw queues, to read", `${services.apiUrl}/ops/queues   (password: the API key)`);
  place("mails", mails.webUrl);
  place("marketplace double", `${marketplace.url}   (bearer token: ${marketplace.token})`);
  for (const [app, url] of services.metricsUrls()) place(`metrics of ${app}`, url);
  await untilStopped(stopping);
  say("stopping");
}

const stopping = listenForStop((signal) => {
  say(`${signal} again: ending everything at once`);
  endChildrenAtOnce(dataDir);
  process.exit(1);
});
try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  await start(options, stopping);
  process.exitCode = 0;
} catch (error) {
  const reason = stopping.reason instanceof StoppedError ? stopping.reason : error;
  say(`failed: ${reasonOf(reason)}`);
  printJson({ ok: false, error: reasonOf(reason) });
  process.exitCode = reason instanceof StoppedError ? reason.exitCode : 1;
}
