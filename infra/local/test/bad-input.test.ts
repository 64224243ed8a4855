import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { echo } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { createRequests } from "@ballast/jobs";
import { createTestDatabase, openEmptyDatabase, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { findRedis } from "../src/engine.ts";
import { startRedis } from "../src/redis.ts";
import { startServiceProcess } from "../src/service-process.ts";
import { dataFolder } from "./data-folder.ts";

async function setup() {
  const stack = new AsyncDisposableStack();
  const { dir } = stack.use(await dataFolder());
  mkdirSync(join(dir, "logs"));
  const database = stack.use(await createTestDatabase());
  const env = {
    DATABASE_URL: database.url,
    QUEUE_URL: "redis://127.0.0.1:1",
    STORAGE_URL: `file://${dir}/documents`,
    SMTP_URL: "smtp://127.0.0.1:1",
    API_PORT: "0",
  };
  return {
    dir,
    env,
    start: async (app: string, change: Record<string, string>) => {
      const service = await startServiceProcess({ app, dataDir: dir, env: { ...env, ...change } });
      stack.defer(() => service.process.end([["SIGKILL", 5_000]]));
      return service;
    },
    use: <T extends AsyncDisposable>(resource: T) => stack.use(resource),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test.each([
  [
    "an unknown scheme",
    "api",
    { QUEUE_URL: "amqp://host" },
    /QUEUE_URL is wrong: no engine has this scheme/,
  ],
  [
    "an address that cannot be",
    "api",
    { QUEUE_URL: "redis+sentinel://s1" },
    /QUEUE_URL does not say what its sentinels call the master/,
  ],
  ["a missing secret", "marketplace-sync-worker", {}, /MARKETPLACE_KEYS is missing: set it/],
  [
    "a variable and its file",
    "email-worker",
    { SMTP_URL_FILE: "/x" },
    /SMTP_URL and SMTP_URL_FILE are both set: keep one/,
  ],
  [
    "a folder that is a file",
    "api",
    { STORAGE_URL: "file:///dev/null/x" },
    /STORAGE_URL: the document folder \/dev\/null\/x cannot be used \(ENOTDIR\)/,
  ],
])("%s ends %s with 78 and one line that says what to do", async (_, app, change, line) => {
  await using t = await setup();
  const { process } = await t.start(app, change);
  expect(await process.ended).toBe("exit code 78");
  const said = process
    .output()
    .trim()
    .split("\n")
    .filter((one) => !one.startsWith("{"));
  expect(said).toEqual([expect.stringMatching(line)]);
});

test("an older schema ends a service with 78, and what to run", async () => {
  await using t = await setup();
  const old = t.use(await openEmptyDatabase());
  const { process } = await t.start("dlq-notifier", { DATABASE_URL: old.url });
  expect(await process.ended).toBe("exit code 78");
  expect(process.output()).toContain("dlq-notifier: DATABASE_URL: the database's schema is older");
});

test("a Redis that would drop jobs ends a service with 78 and the command that mends it, and is given none before", async () => {
  const binary = findRedis();
  if (binary === undefined) return; // the suites on Redis say that it is missing
  await using t = await setup();
  const database = t.use(await openDatabase(t.env.DATABASE_URL, { applicationName: "test" }));
  const requests = createRequests({ store: openRunStore(database) });
  const wish = { companyId: null, requestedBy: "test" };
  await database.transaction((tx) => requests.ask(tx, echo, { id: "waits" }, wish));
  const settings = ["maxmemory 100mb", "maxmemory-policy allkeys-lru"];
  const at = { binary, dataDir: t.dir, name: "redis", durable: false };
  const redis = t.use(await startRedis({ ...at, settings }));
  const { process } = await t.start("api", { QUEUE_URL: redis.url });
  expect(await process.ended).toBe("exit code 78");
  expect(process.output()).toContain("CONFIG SET maxmemory-policy noeviction");
  const runs = await database.kysely.selectFrom("jobRuns").select("handedAt").execute();
  expect(runs).toEqual([{ handedAt: null }]);
});

test.each(["api", "email-worker"])(
  "a password that Redis refuses ends %s with 78 and Redis' own words",
  async (app) => {
    const binary = findRedis();
    if (binary === undefined) return; // the suites on Redis say that it is missing
    await using t = await setup();
    const at = { binary, dataDir: t.dir, name: "redis", durable: false };
    const redis = t.use(await startRedis(at));
    const wrong = Object.assign(new URL(redis.url), { password: "not-this-one" });
    const { process } = await t.start(app, { QUEUE_URL: wrong.href });
    expect(await process.ended).toBe("exit code 78");
    expect(process.output()).toMatch(/: QUEUE_URL: Redis refuses it \(WRONGPASS .*\): are user, /);
    expect(process.output()).not.toContain("not-this-one");
  },
);

test("a database that is away keeps a service waiting, alive and not ready", async () => {
  await using t = await setup();
  const file = join(t.dir, "url");
  writeFileSync(file, "postgres://u:secret@127.0.0.1:1/none\n");
  const { DATABASE_URL: _, ...env } = t.env;
  const { process, opsUrl } = await t.start("api", {
    ...env,
    DATABASE_URL: "",
    DATABASE_URL_FILE: file,
  });
  const ask = (page: string) => fetch(`${opsUrl}${page}`).then(({ status }) => status);
  await until(() => process.output().includes("PostgreSQL does not answer; waiting for it"));
  expect([await ask("/healthz"), await ask("/readyz")]).toEqual([200, 503]);
  expect(process.output()).not.toContain("secret");
  await process.end([["SIGTERM", 10_000]]);
  expect(await process.ended).toBe("exit code 0");
});
