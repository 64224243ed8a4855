import type { RedisClient } from "./redis-connections.ts";
import type { QueueHeads } from "./store-driver.ts";

/** BullMQ keeps the due time of a delayed job in the upper bits of its score. */
const SCORE_UNITS_PER_MS = 0x1000;

/**
 * Look at what begins next: the last of the waiting list, the first of the prioritized, the first of the
 * delayed. The server walks none of them, so this costs the same with a million jobs as with one.
 *
 * @param key of the queue, with its prefix
 */
export async function readHeads(redis: RedisClient, key: string): Promise<QueueHeads> {
  const [waiting, [prioritized], [, delayedScore]] = await Promise.all([
    redis.lindex(`${key}:wait`, -1),
    redis.zrange(`${key}:prioritized`, "0", "0"),
    redis.zrange(`${key}:delayed`, "0", "0", "WITHSCORES"),
  ]);
  const ids = [waiting, prioritized].filter((id) => typeof id === "string");
  const since = await Promise.all(ids.map((id) => waitingSinceMs(redis, `${key}:${id}`)));
  const known = since.filter((ms) => ms !== null);
  return {
    headSinceMs: known.length === 0 ? null : Math.min(...known),
    nextDueMs:
      delayedScore === undefined ? null : Math.floor(Number(delayedScore) / SCORE_UNITS_PER_MS),
  };
}

/** Since it was added or, if it was begun before, since then; `null` if it is gone by now. */
async function waitingSinceMs(redis: RedisClient, jobKey: string): Promise<number | null> {
  const [addedMs, begunMs] = await redis.hmget(jobKey, "timestamp", "processedOn");
  return addedMs === null || addedMs === undefined ? null : Number(begunMs ?? addedMs);
}
