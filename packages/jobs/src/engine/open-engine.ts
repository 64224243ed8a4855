import type { Engine, EngineOptions } from "./engine.ts";
import { openPostgresEngine } from "./postgres.ts";
import { openRedisEngine } from "./redis.ts";

/**
 * Open BullMQ on the store that `url` names. Does not wait for it: a store that is away makes calls
 * fail, not the process.
 *
 * @throws {RangeError} for a scheme that no engine serves
 */
export function openEngine(url: string, options: EngineOptions): Engine {
  const scheme = /^([a-z+]+):\/\//.exec(url)?.[1];
  if (scheme === "redis" || scheme === "rediss") return openRedisEngine(url, options);
  if (scheme === "postgres" || scheme === "postgresql") return openPostgresEngine(url, options);
  throw new RangeError(
    `QUEUE_URL has the scheme "${scheme ?? "none"}": use redis://, rediss:// or postgres://`,
  );
}
