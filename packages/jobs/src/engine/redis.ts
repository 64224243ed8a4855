import { Queue, Worker } from "bullmq";
import { quietErrorLog } from "../telemetry.ts";
import { UnfitEngineError } from "../unfit.ts";
import { BullmqEngine } from "./bullmq-engine.ts";
import type { Engine, EngineMemory, EngineOptions } from "./engine.ts";
import { sayOurs } from "./ours.ts";
import type { RedisAddress } from "./queue-url.ts";
import { mastersOf, openClient, workerConnection } from "./redis-connections.ts";
import { readHeads } from "./redis-heads.ts";
import { findJammed, removeJammed } from "./redis-jammed.ts";
import { isFull, makeRoom } from "./redis-relief.ts";
import { readState } from "./redis-state.ts";

/** BullMQ on Redis: the production engine. */
export function openRedisEngine(
  address: RedisAddress,
  { log, prefix = "bull", silenceMs }: EngineOptions,
): Engine {
  const client = openClient(address, silenceMs);
  // Who asks later hears of a closed connection alone.
  let refusal: UnfitEngineError | undefined;
  client.on("error", (error) => {
    refusal = refusalOf(error) ?? refusal;
  });
  client.on("ready", () => {
    refusal = undefined;
  });
  const prefixOf = (queue: string) => queuePrefix(address.topology, prefix, queue);
  const keyOf = (queue: string) => `${prefixOf(queue)}:${queue}`;
  const epochKey = `${prefix}:ballast:epoch`;
  const memoryInfo = () => Promise.all(mastersOf(client).map((server) => server.info("memory")));
  // Without this the first calls after the start fail, although Redis is up.
  let connecting: Promise<void> | undefined;
  const ready = () => (connecting ??= client.connect().catch(() => {}));

  return new BullmqEngine(
    {
      kind: "redis",
      ready,
      queue: (name) =>
        new Queue(name, {
          connection: client,
          prefix: prefixOf(name),
          skipWaitingForReady: true,
          skipVersionCheck: true,
        }),
      worker: (name, processor, options) => {
        const tell = quietErrorLog(log, `worker of queue ${name}`);
        const { connection, dispose } = workerConnection(address, tell, silenceMs);
        const worker = new Worker(name, processor, {
          ...options,
          prefix: prefixOf(name),
          connection,
        });
        worker.on("closed", dispose);
        return worker;
      },
      ping: async () => {
        await client.ping().catch((error: Error) => {
          throw refusalOf(error) ?? refusal ?? error;
        });
      },
      failed: async (queue, offset, limit) => {
        const key = keyOf(queue);
        const last = offset + limit - 1;
        const found = await client.zrange(
          `${key}:failed`,
          String(offset),
          String(last),
          "WITHSCORES",
        );
        const ids = found.filter((_, at) => at % 2 === 0);
        // One round trip for all: what is asked of each is short, never its data.
        const fields = await Promise.all(
          ids.map((id) => client.hmget(`${key}:${id}`, "timestamp", "opts")),
        );
        return ids.map((id, at) => ({
          id,
          createdMs: Number(fields[at]?.[0]),
          finishedMs: Number(found[2 * at + 1]),
          isOurs: sayOurs(fields[at]?.[1]),
        }));
      },
      stateOf: (queue, id) => readState(client, keyOf(queue), id),
      heads: (queue) => readHeads(client, keyOf(queue)),
      readEpoch: () => client.get(epochKey),
      writeEpoch: async (epoch) => {
        await client.set(epochKey, epoch);
      },
      memory: async () => fullest((await memoryInfo()).map(memoryOf)),
      assertFit: async () => {
        // Not CONFIG, which many a hosted Redis forbids.
        const policies = (await memoryInfo()).map(
          (info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1],
        );
        const policy = policies.find((one) => one !== undefined && one !== "noeviction");
        if (policy !== undefined)
          throw new UnfitEngineError(
            `QUEUE_URL: this Redis has maxmemory-policy ${policy} and would drop jobs when it is full; ` +
              "set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in redis.conf)",
          );
      },
      jammed: (queue) => findJammed(client, keyOf(queue)),
      removeJammed: (queue, id) => removeJammed(client, keyOf(queue), id),
      isFull,
      makeRoom: (queue) => makeRoom(client, keyOf(queue)),
      close: async () => client.disconnect(),
    },
    log,
  );
}

/** Redis answers, and lets nobody in with what we have. Of a cluster the last node that was asked says so. */
function refusalOf(error: Error & { lastNodeError?: Error }): UnfitEngineError | undefined {
  const { message } = error.lastNodeError ?? error;
  if (!/^(WRONGPASS|NOAUTH|NOPERM) /.test(message)) return undefined;
  return new UnfitEngineError(
    `QUEUE_URL: Redis refuses it (${message}): are user, password and the user's rights right?`,
  );
}

/** `maxmemory` 0 means that the machine's memory is the limit, of which Redis knows nothing. */
function memoryOf(info: string): EngineMemory | null {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const maxBytes = field("maxmemory");
  return maxBytes === 0 ? null : { usedBytes: field("used_memory"), maxBytes };
}

/** A queue is as full as the fullest server: its keys all lie on one. */
const fullest = (servers: readonly (EngineMemory | null)[]): EngineMemory | null =>
  servers.reduce((most, one) => (shareOf(one) > shareOf(most) ? one : most), null);

const shareOf = (memory: EngineMemory | null): number =>
  memory === null ? 0 : memory.usedBytes / memory.maxBytes;

/**
 * What comes before the keys of a queue. In a cluster the braces keep all keys of one queue on one node, as BullMQ's
 * scripts need it, and let another queue have another; whoever adds jobs with plain BullMQ gives it the same.
 */
const queuePrefix = (topology: RedisAddress["topology"], prefix: string, queue: string): string =>
  topology === "cluster" ? `{${prefix}:${queue}}` : prefix;
