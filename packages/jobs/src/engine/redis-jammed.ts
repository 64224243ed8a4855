import { momentOf } from "./delivery.ts";
import type { JammedJob } from "./engine.ts";
import { sayOurs } from "./ours.ts";
import type { RedisClient } from "./redis-connections.ts";

/** More than any queue runs at a time, so a jammed job is among them. */
const MAX_ACTIVE = 1_000;
/** Enough to see what it was. */
const MAX_RAW_LENGTH = 4_000;

/**
 * Jobs that were taken and can never begin: BullMQ fails to parse them outside of all that it guards, so
 * they are taken again and again, and never fail.
 */
export async function findJammed(redis: RedisClient, queueKey: string): Promise<JammedJob[]> {
  const ids = await redis.lrange(`${queueKey}:active`, 0, MAX_ACTIVE - 1);
  const found: JammedJob[] = [];
  for (const id of ids) {
    const [name, data, opts, timestamp] = await redis.hmget(
      `${queueKey}:${id}`,
      "name",
      "data",
      "opts",
      "timestamp",
    );
    const why = whyJammed({ data, opts });
    if (why === undefined) continue;
    found.push({
      engineJobId: id,
      name: name ?? "",
      createdMs: momentOf(Number(timestamp)),
      isOurs: sayOurs(opts),
      why,
      raw: { data: clip(data), opts: clip(opts) },
    });
  }
  return found;
}

/** Take a jammed job out, whoever believes to hold it: nobody can work on it. */
export async function removeJammed(
  redis: RedisClient,
  queueKey: string,
  id: string,
): Promise<void> {
  const key = `${queueKey}:${id}`;
  await redis
    .multi()
    .lrem(`${queueKey}:active`, 0, id)
    .lrem(`${queueKey}:wait`, 0, id)
    .srem(`${queueKey}:stalled`, id)
    .del(key, `${key}:lock`, `${key}:logs`)
    .exec();
}

function whyJammed(
  fields: Readonly<Record<string, string | null | undefined>>,
): string | undefined {
  for (const [field, text] of Object.entries(fields))
    try {
      JSON.parse(text ?? "{}");
    } catch (error) {
      return `its ${field} is no JSON: ${error instanceof Error ? error.message : error}`;
    }
  return undefined;
}

const clip = (text: string | null | undefined): string | null =>
  text === null || text === undefined || text.length <= MAX_RAW_LENGTH
    ? (text ?? null)
    : `${text.slice(0, MAX_RAW_LENGTH)}… and ${text.length - MAX_RAW_LENGTH} characters more`;
