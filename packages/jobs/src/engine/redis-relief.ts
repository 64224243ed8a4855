import type { RedisClient } from "./redis-connections.ts";

/** Events are a hint that nothing of ours relies on; BullMQ itself keeps some 10,000 of them. */
const EVENTS_KEPT = 100;
const COMPLETED_PER_ROUND = 1_000;
/** A journal that is written has these ends by now; a younger one might still be copied from here. */
const LEFT_MS = 5_000;

/**
 * Make room in a Redis that refuses to take more: it then lets no job begin either, so that nothing would
 * ever leave it. What is given up is of use to people alone: old events, and jobs that are completed.
 *
 * Plain commands, each of which frees memory: a full Redis refuses BullMQ's own scripts, which write.
 *
 * @see https://redis.io/docs/latest/develop/reference/eviction/
 */
export async function makeRoom(redis: RedisClient, queueKey: string): Promise<void> {
  await redis.xtrim(`${queueKey}:events`, "MAXLEN", EVENTS_KEPT);
  const done = await redis.zrangebyscore(
    `${queueKey}:completed`,
    "-inf",
    Date.now() - LEFT_MS,
    "LIMIT",
    0,
    COMPLETED_PER_ROUND,
  );
  if (done.length === 0) return;
  await redis.unlink(...done.flatMap((id) => [`${queueKey}:${id}`, `${queueKey}:${id}:logs`]));
  await redis.zrem(`${queueKey}:completed`, ...done);
}

/** Redis' own words for it; they come through scripts as well. */
export const isFull = (error: Error): boolean => /\bOOM command not allowed/.test(error.message);
