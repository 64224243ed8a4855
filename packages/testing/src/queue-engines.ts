import { Redis } from "ioredis";
import { describe } from "vitest";
import { asAdmin, createDatabase, freshName, urlOfDatabase } from "./admin-connection.ts";
import { DatabaseShelf } from "./database-shelf.ts";
import { testRedisUrl } from "./servers.ts";

export type QueueEngineKind = "postgres" | "redis";

export const queueEngines: readonly QueueEngineKind[] = ["postgres", "redis"];

/** Room for the queues of one test; disposing removes all they left. */
export interface OpenEngine extends AsyncDisposable {
  /** What QUEUE_URL would be. */
  readonly url: string;
  /** Comes before every key in Redis; PostgreSQL has a database of its own instead. */
  readonly prefix: string;
}

export interface EngineUnderTest {
  readonly kind: QueueEngineKind;
  open(): Promise<OpenEngine>;
}

/** For what has to do with queues and not with how they are kept: it is there on every machine. */
export const postgresEngine: EngineUnderTest = { kind: "postgres", open: openOnPostgres };

/** Declare a suite once for each queue engine; where Redis is missing, its half is shown as skipped. */
export function describeEachEngine(title: string, suite: (engine: EngineUnderTest) => void): void {
  describe(`${title} on postgres`, () => suite(postgresEngine));
  const redisUrl = testRedisUrl();
  if (redisUrl === undefined)
    describe.skip(`${title} on redis (not here: apt-get install redis-server)`, () =>
      suite(NO_REDIS));
  else
    describe(`${title} on redis`, () =>
      suite({ kind: "redis", open: () => openOnRedis(redisUrl) }));
}

/** Declare a suite about Redis alone; where it is missing, it is shown as skipped. */
export function describeOnRedis(title: string, suite: (engine: EngineUnderTest) => void): void {
  const redisUrl = testRedisUrl();
  if (redisUrl === undefined)
    describe.skip(`${title} (no Redis here: apt-get install redis-server)`, () => suite(NO_REDIS));
  else describe(title, () => suite({ kind: "redis", open: () => openOnRedis(redisUrl) }));
}

const NO_REDIS: EngineUnderTest = {
  kind: "redis",
  open: () => Promise.reject(new Error("no Redis here")),
};

const shelf = new DatabaseShelf(async () => {
  const name = freshName("queue");
  await asAdmin((client) => createDatabase(client, name));
  return name;
});

/** A database without a job; the engine makes its own schema where that is missing. */
async function openOnPostgres(): Promise<OpenEngine> {
  const name = await shelf.take();
  let left: Promise<void> | undefined;
  return {
    url: urlOfDatabase(name),
    prefix: name,
    [Symbol.asyncDispose]: () => (left ??= shelf.giveBack(name)),
  };
}

async function openOnRedis(url: string): Promise<OpenEngine> {
  const prefix = freshName("queue");
  return { url, prefix, [Symbol.asyncDispose]: () => deleteKeys(url, prefix) };
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  redis.on("error", () => {}); // the command that meets it reports it
  try {
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}:*`, "COUNT", 1_000);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== "0");
  } finally {
    redis.disconnect();
  }
}
