import { createPostgresBackend, Queue } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";

/** What another team has in its hands: plain BullMQ, and on Redis the keys themselves. */
export interface OtherTeam extends AsyncDisposable {
  queue(name: string): Queue;
  /** Redis itself; `undefined` on PostgreSQL. */
  redis(): Redis | undefined;
}

export function openOtherTeam(url: string): OtherTeam {
  const closing = new AsyncDisposableStack();
  const queues = new Map<string, Queue>();
  const isRedis = url.startsWith("redis");
  let redis: Redis | undefined;

  const open = (name: string): Queue => {
    if (isRedis) {
      const queue = new Queue(name, { connection: { url, maxRetriesPerRequest: null } });
      queue.on("error", () => {}); // drills take the engine away
      closing.defer(() => queue.close().catch(() => {}));
      return queue;
    }
    const pool = new pg.Pool({ connectionString: url, max: 2, options: "-c search_path=bullmq" });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    const queue = new Queue(
      name,
      { connection: pool as never },
      createPostgresBackend as never,
    ) as unknown as Queue;
    queue.on("error", () => {});
    closing.defer(async () => {
      await queue.close().catch(() => {});
      await pool.end().catch(() => {});
    });
    return queue;
  };
  return {
    queue(name) {
      const queue = queues.get(name) ?? open(name);
      queues.set(name, queue);
      return queue;
    },
    redis() {
      if (!isRedis) return undefined;
      if (redis === undefined) {
        redis = new Redis(url, { maxRetriesPerRequest: 3 });
        redis.on("error", () => {});
        closing.defer(() => redis?.disconnect());
      }
      return redis;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
