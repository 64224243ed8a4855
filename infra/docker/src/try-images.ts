import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { migrate, openDatabase } from "@ballast/database";
import {
  apiClient,
  dataDirFrom,
  findRedis,
  freePort,
  marketplaceKeys,
  operatorKey,
  seed,
  startMailCatcher,
  startPostgres,
  startRedis,
  tour,
} from "@ballast/local";
import type { Builder } from "./builders.ts";
import { type Container, startContainer } from "./containers.ts";
import { appsOf, type Image } from "./image.ts";

/** The user of every image. */
const USER = 10_001;
const READY_WITHIN_MS = 60_000;

/** One app, and the image and command that run it. */
interface Program {
  readonly app: string;
  readonly image: string;
  readonly command: readonly string[];
}

/**
 * Start a container of every image against real stores, and take an invoice through them to an inbox; then stop
 * each within its grace. The image `all` runs every app.
 *
 * @throws {Error} naming the container that is not ready, does not end well, or lost the invoice
 */
export async function tryImages(
  builder: Builder,
  images: readonly Image[],
  root: string,
): Promise<void> {
  const single = images
    .filter(({ name }) => name !== "all")
    .map(({ name, repository }) => ({ app: name, image: repository, command: [] }));
  if (single.length > 0) await tryPrograms(builder, single);
  const all = images.find(({ name }) => name === "all");
  if (all === undefined) return;
  const every = appsOf(root).map((app) => ({ app, image: all.repository, command: [app] }));
  await tryPrograms(builder, every);
}

async function tryPrograms(builder: Builder, programs: readonly Program[]): Promise<void> {
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
    const options = { image: `${image}:latest`, name, command, env: own, documents, dataDir };
    const container = ending.use(await startContainer(builder, options));
    started.push({ name, container });
    await untilReady(name, container, `http://127.0.0.1:${opsPort}/readyz`);
    console.error(`ready  ${name}`);
  }

  if (["api", "pdf-worker", "email-worker"].every((app) => programs.some((p) => p.app === app))) {
    await using database = await openDatabase(postgres.url, { applicationName: "try", poolMax: 2 });
    const { key } = await operatorKey(database, dataDir);
    const { signal } = new AbortController();
    const api = apiClient(`http://127.0.0.1:${apiPort}`, key, signal);
    await seed(api, database);
    const { pdf } = await tour({ api, mailbox: mails.mailbox, dataDir, signal });
    console.error(`mailed an invoice of ${pdf.pages} pages, rendered in ${pdf.ms} ms`);
  }
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
