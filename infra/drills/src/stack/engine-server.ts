import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type EngineKind, findRedis, startRedis } from "@ballast/local";
import { openProxy } from "@ballast/testing";
import { Redis } from "ioredis";
import pg from "pg";

/** The queue engine's server, with everything that can befall it. */
export interface EngineServer extends AsyncDisposable {
  readonly kind: EngineKind;
  /** What services get as QUEUE_URL; the same for as long as the stack stands. */
  readonly url: string;
  /** Stop it in order. */
  stop(): Promise<void>;
  /** As by the kernel: nothing is said, nothing is flushed. */
  kill(): Promise<void>;
  /** Back again, at the same address, with what it kept. */
  start(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Killed, and back as it was this long before. */
  rewind(ms: number): Promise<void>;
  /** Everything in it is gone. */
  wipe(): Promise<void>;
}

/** A Redis of the drill's own, with an append-only file. */
export async function startRedisServer(
  dataDir: string,
  settings: readonly string[] = [],
): Promise<EngineServer> {
  const binary = findRedis();
  if (binary === undefined)
    throw new Error("no redis-server on PATH: apt-get install redis-server, or --engine postgres");
  const options = { binary, dataDir, name: "redis", durable: true, settings };
  let server = await startRedis(options);
  const { url } = server;
  const { port, password } = new URL(url);
  const at = { port: Number(port), password };
  const file = join(dataDir, options.name, "appendonlydir");
  const kill = () => server.process.end([["SIGKILL", 5_000]]);
  const start = async () => {
    server = await startRedis({ ...options, at });
  };
  return {
    kind: "redis",
    url,
    stop: () => server.process.end([["SIGTERM", 10_000]]),
    kill,
    start,
    rewind: async (ms) => {
      const before = `${file}-before`; // appended to alone, so that a copy is a state it was in
      await cp(file, before, { recursive: true });
      await pause(ms);
      await kill();
      await rm(file, { recursive: true });
      await rename(before, file);
      await start();
    },
    freeze: () => void server.process.child.kill("SIGSTOP"),
    thaw: () => void server.process.child.kill("SIGCONT"),
    wipe: async () => {
      const redis = new Redis(url);
      await redis.flushall();
      redis.disconnect();
    },
    [Symbol.asyncDispose]: async () => {
      server.process.child.kill("SIGCONT"); // a frozen one would not hear that it should end
      await server.process.end([["SIGKILL", 5_000]]);
    },
  };
}

/** BullMQ on PostgreSQL, reached through a proxy, so that a fault hits the engine and not the truth. */
export async function startPostgresEngine(databaseUrl: string): Promise<EngineServer> {
  const door = await openProxy(databaseUrl);
  return {
    kind: "postgres",
    url: door.url,
    stop: door.shut,
    kill: door.shut,
    start: door.open,
    freeze: door.freeze,
    thaw: () => void door.open(),
    rewind: () => Promise.reject(new Error("PostgreSQL forgets nothing that it acknowledged")),
    wipe: () => truncateEngine(databaseUrl),
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  };
}

/** All that BullMQ keeps, but for which migrations have run. */
async function truncateEngine(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename !~ 'migration'",
    );
    await client.query(`TRUNCATE ${rows.map(({ name }) => `bullmq.${name}`).join(", ")}`);
  } finally {
    await client.end();
  }
}
