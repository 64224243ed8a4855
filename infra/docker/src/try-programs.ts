import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { migrate, openDatabase } from "@ballast/database";
import {
  alertTour,
  apiClient,
  dataDirFrom,
  findRedis,
  freePort,
  marketplaceKeys,
  operatorKey,
  seed,
  startMailCatcher,
  startMarketplace,
  startPostgres,
  startRedis,
  stockTour,
  tour,
} from "@ballast/local";
import type { Builder } from "./builders.ts";
import { type Container, startContainer } from "./containers.ts";

/** The user of every image. */
const USER = 10_001;
const READY_WITHIN_MS = 60_000;
const ON_CALL = "on-call@ballast.example";

/** One app, and the image and command that run it. */
export interface Program {
  readonly app: string;
  readonly image: string;
  readonly command: readonly string[];
}

/**
 * Start each program in a container against real stores, let them do the work that those who are there can do
 * together, and stop each within its grace.
 *
 * @throws {Error} naming the container that is not ready or does not end well, or the work that was lost
 */
export async function tryPrograms(builder: Builder, programs: readonly Program[]): Promise<void> {
  const binary = findRedis();
  if (binary === undefined) throw new Error("--try needs a Redis: apt-get install redis-server");
  const home = dataDirFrom(process.env);
  mkdirSync(home, { recursive: true });
  const dataDir = mkdtempSync(join(home, "images-"));
  using undo = new DisposableStack();
  undo.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  await using postgres = await startPostgres({ dataDir, name: "postgres", durable: false });
  await using redis = await startRedis({ binary, dataDir, name: "redis", durable: false });
  await using mails = await startMailCatcher();
  await using marketplace = await startMarketplace();
  await migrate(postgres.url);
  const documents = join(dataDir, "documents");
  mkdirSync(documents);
  chownSync(documents, USER, USER);
  const apiPort = await freePort();
  const env = {
    DATABASE_URL: postgres.url,
    QUEUE_URL: redis.url,
    STORAGE_URL: "file:///var/lib/ballast/documents",
    SMTP_URL: mails.smtpUrl,
    MARKETPLACE_KEYS: readFileSync(marketplaceKeys(dataDir), "utf8").trim(),
    MARKETPLACE_ALLOW_PRIVATE: "yes",
    ALERT_MAIL_TO: ON_CALL,
    ALERT_MAIL_FROM: "alerts@ballast.example",
    OPS_HOST: "127.0.0.1",
    API_HOST: "127.0.0.1",
    API_PORT: String(apiPort),
  };

  const started: Array<{ name: string; container: Container }> = [];
  await using ending = new AsyncDisposableStack();
  for (const { app, image, command } of programs) {
    const opsPort = await freePort();
    const name = `${image} ${app}`;
    const own = { ...env, OPS_PORT: String(opsPort) };
    const options = { image, name, command, env: own, documents, dataDir };
    const container = ending.use(await startContainer(builder, options));
    started.push({ name, container });
    await untilReady(name, container, `http://127.0.0.1:${opsPort}/readyz`);
    console.error(`ready  ${name}`);
  }

  const { signal } = new AbortController();
  const areHere = (...apps: string[]) => apps.every((app) => programs.some((p) => p.app === app));
  if (areHere("api")) {
    await using database = await openDatabase(postgres.url, { applicationName: "try", poolMax: 2 });
    const { key } = await operatorKey(database, dataDir);
    const api = apiClient(`http://127.0.0.1:${apiPort}`, key, signal);
    await seed(api, database);
    if (areHere("pdf-worker", "email-worker"))
      await tour({ api, mailbox: mails.mailbox, dataDir, signal });
    if (areHere("marketplace-sync-worker")) await stockTour(api, marketplace, signal);
  }
  if (areHere("pdf-worker", "dlq-notifier"))
    await alertTour(redis.url, mails.mailbox, { onCall: ON_CALL, signal });
  await Promise.all(started.map(({ name, container }) => endsWell(name, container)));
}

async function untilReady(name: string, { process }: Container, url: string): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (process.hasEnded())
      throw new Error(`${name} ended with ${await process.ended}:\n${process.output()}`);
    if (performance.now() > deadlineMs)
      throw new Error(`${name} is not ready:\n${process.output()}`);
    if ((await fetch(url).catch(() => undefined))?.ok) return;
    await pause(100);
  }
}

async function endsWell(name: string, container: Container): Promise<void> {
  await container.stop();
  const how = await container.process.ended;
  if (how !== "exit code 0")
    throw new Error(`${name} ended with ${how}:\n${container.process.output()}`);
}
