import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { UnfitEngineError } from "../unfit.ts";
import { BullmqEngine } from "./bullmq-engine.ts";
import type { Engine, EngineMemory, EngineOptions } from "./engine.ts";
import { findJammed, removeJammed } from "./redis-jammed.ts";
import { isFull, makeRoom } from "./redis-relief.ts";

/** Reconnect soon and for ever; the jitter keeps a fleet from returning in one instant. */
const reconnect = (capMs: number) => (times: number) =>
  Math.min(capMs, 100 * 2 ** Math.min(times, 8)) * (0.5 + Math.random() / 2);

/**
 * Callers that answer HTTP must fail at once while Redis is away, and work as soon as it is back.
 * All four are needed together: without one of them a call hangs, or fails for ever.
 */
const FAIL_FAST = {
  enableOfflineQueue: false,
  commandTimeout: 1_500,
  maxRetriesPerRequest: 1,
  retryStrategy: reconnect(1_000),
};

/** Workers wait for Redis; a command timeout would break the blocking pop that they idle on. */
const PATIENT = { maxRetriesPerRequest: null, retryStrategy: reconnect(2_000) };

/** BullMQ on Redis: the production engine. */
export function openRedisEngine(url: string, { log, prefix = "bull" }: EngineOptions): Engine {
  const address = addressOf(url);
  const client = new Redis({ ...address, ...FAIL_FAST, lazyConnect: true });
  client.on("error", () => {}); // each failed call says so itself
  const epochKey = `${prefix}:ballast:epoch`;
  // Without this the first calls after the start fail, although Redis is up.
  let connecting: Promise<void> | undefined;
  const ready = () => (connecting ??= client.connect().catch(() => {}));

  return new BullmqEngine(
    {
      kind: "redis",
      retainsWhileFinishing: true,
      ready,
      queue: (name) =>
        new Queue(name, {
          connection: client,
          prefix,
          skipWaitingForReady: true,
          skipVersionCheck: true,
        }),
      worker: (name, processor, options) =>
        new Worker(name, processor, { ...options, prefix, connection: { ...address, ...PATIENT } }),
      ping: async () => {
        await client.ping();
      },
      failed: async (queue, offset, limit) => {
        const key = `${prefix}:${queue}`;
        const last = offset + limit - 1;
        const found = await client.zrange(
          `${key}:failed`,
          String(offset),
          String(last),
          "WITHSCORES",
        );
        const ids = found.filter((_, at) => at % 2 === 0);
        // One round trip for all: what is asked of each is a number, never its data.
        const created = await Promise.all(
          ids.map((id) => client.hget(`${key}:${id}`, "timestamp")),
        );
        return ids.map((id, at) => ({
          id,
          createdMs: Number(created[at]),
          finishedMs: Number(found[2 * at + 1]),
        }));
      },
      readEpoch: () => client.get(epochKey),
      writeEpoch: async (epoch) => {
        await client.set(epochKey, epoch);
      },
      memory: async () => memoryOf(await client.info("memory")),
      assertFit: async () => {
        // Not CONFIG, which many a hosted Redis forbids.
        const [, policy] = /^maxmemory_policy:(\S+)/m.exec(await client.info("memory")) ?? [];
        if (policy !== undefined && policy !== "noeviction")
          throw new UnfitEngineError(
            `QUEUE_URL: this Redis has maxmemory-policy ${policy} and would drop jobs when it is full; ` +
              "set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in redis.conf)",
          );
      },
      jammed: (queue) => findJammed(client, `${prefix}:${queue}`),
      removeJammed: (queue, id) => removeJammed(client, `${prefix}:${queue}`, id),
      isFull,
      makeRoom: (queue) => makeRoom(client, `${prefix}:${queue}`),
      close: async () => client.disconnect(),
    },
    log,
  );
}

/** `maxmemory` 0 means that the machine's memory is the limit, of which Redis knows nothing. */
function memoryOf(info: string): EngineMemory | null {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const maxBytes = field("maxmemory");
  return maxBytes === 0 ? null : { usedBytes: field("used_memory"), maxBytes };
}

interface Address {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls?: { servername: string };
}

function addressOf(url: string): Address {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const db = pathname.length > 1 ? Number(pathname.slice(1)) : 0;
  if (!Number.isInteger(db) || db < 0)
    throw new RangeError(
      `QUEUE_URL ends in "${pathname}": the path must be a database number, e.g. /0`,
    );
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 6379 : Number(port),
    db,
    ...(username === "" ? {} : { username: decodeURIComponent(username) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" ? { tls: { servername: hostname } } : {}),
  };
}
