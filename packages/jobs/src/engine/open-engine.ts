import type { Engine, EngineOptions } from "./engine.ts";
import { openPostgresEngine } from "./postgres.ts";
import { parseQueueUrl } from "./queue-url.ts";
import { openRedisEngine } from "./redis.ts";

/**
 * Open BullMQ on the store that `url` names. Does not wait for it: a store that is away makes calls
 * fail, not the process.
 *
 * @throws {QueueUrlError} for a URL that no engine serves
 */
export function openEngine(url: string, options: EngineOptions): Engine {
  const address = parseQueueUrl(url);
  return address.kind === "postgres"
    ? openPostgresEngine(address.url, options)
    : openRedisEngine(address, options);
}
