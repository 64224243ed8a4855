import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { startRedis } from "./redis.ts";

export type EngineKind = "postgres" | "redis";

/** Which server holds the queues, and why. */
export type EngineChoice =
  | { readonly from: "environment"; readonly kind: EngineKind; readonly url: string }
  | { readonly from: "path"; readonly kind: "redis"; readonly binary: string }
  | { readonly from: "database"; readonly kind: "postgres" };

/** Where a program lies on PATH; undefined if nowhere. */
export function findOnPath(name: string, path = process.env["PATH"] ?? ""): string | undefined {
  for (const dir of path.split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return join(dir, name);
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

export const findRedis = (find: (name: string) => string | undefined = findOnPath) =>
  find("redis-server") ?? find("valkey-server");

/**
 * Choose the queue engine: what QUEUE_URL names, else a Redis of our own if this machine has one,
 * else the database.
 */
export function chooseEngine(
  queueUrl: string | undefined,
  find: (name: string) => string | undefined = findOnPath,
): EngineChoice {
  if (queueUrl) {
    const scheme = /^[a-z][a-z+]*(?=:\/\/)/.exec(queueUrl)?.[0] ?? "";
    if (/^rediss?(\+(sentinel|cluster))?$/.test(scheme)) {
      return { from: "environment", kind: "redis", url: queueUrl };
    }
    if (scheme === "postgres" || scheme === "postgresql") {
      return { from: "environment", kind: "postgres", url: queueUrl };
    }
    throw new Error(
      `QUEUE_URL begins with "${scheme}", not with redis://, rediss://, redis+sentinel://, redis+cluster:// or postgres://`,
    );
  }
  const binary = findRedis(find);
  return binary ? { from: "path", kind: "redis", binary } : { from: "database", kind: "postgres" };
}

/** One line for people. Without the URL: it may hold a password. */
export function describeEngine(choice: EngineChoice): string {
  switch (choice.from) {
    case "environment":
      return `queue engine: ${choice.kind}, as QUEUE_URL says`;
    case "path":
      return `queue engine: redis, a private one by ${choice.binary} (append-only file, noeviction)`;
    case "database":
      return "queue engine: postgres, on the same database (no redis-server or valkey-server on PATH)";
  }
}

export interface QueueEngine extends AsyncDisposable {
  readonly kind: EngineKind;
  readonly url: string;
}

/** Open what was chosen; only a private Redis is ours to stop. */
export async function openEngine(
  choice: EngineChoice,
  { dataDir, databaseUrl }: { dataDir: string; databaseUrl: string },
): Promise<QueueEngine> {
  const notOurs = async () => {};
  switch (choice.from) {
    case "environment":
      return { kind: choice.kind, url: choice.url, [Symbol.asyncDispose]: notOurs };
    case "database":
      return { kind: choice.kind, url: databaseUrl, [Symbol.asyncDispose]: notOurs };
    case "path": {
      const redis = await startRedis({
        binary: choice.binary,
        dataDir,
        name: "redis",
        durable: true,
      });
      return {
        kind: "redis",
        url: redis.url,
        [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
      };
    }
  }
}
