import { type KeyRing, parseKeyRing } from "@ballast/database";
import { queueConfig, readEnv, serviceConfig, serviceEnv, storesEnv } from "@ballast/service";
import { checkStorage, storageConfig, storageEnv } from "@ballast/storage";
import { z } from "zod";

export const EnvSchema = z
  .object({
    ...serviceEnv,
    ...storageEnv,
    ...storesEnv,
    API_HOST: z.string().default("127.0.0.1").describe("address the API listens on"),
    API_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8_080)
      .describe("port the API listens on; 0 takes any free one"),
    API_RATE_LIMIT_PER_MINUTE: z.coerce
      .number()
      .int()
      .min(1)
      .default(1_200)
      .describe("requests one API key may send to this process in a minute"),
    API_BODY_LIMIT_BYTES: z.coerce
      .number()
      .int()
      .min(1_024)
      .max(64 * 1_048_576)
      .default(1_048_576)
      .describe("largest request body, in bytes; an invoice may have four times as many"),
    API_OUTBOX_LIMIT: z.coerce
      .number()
      .int()
      .min(1)
      .default(100_000)
      .describe(
        "runs that may wait to be handed to the queue, and as many in paused queues, before new work is refused",
      ),
    API_ENGINE_MEMORY_LIMIT: z.coerce
      .number()
      .gt(0)
      .max(1)
      .default(0.7)
      .describe("share of Redis' maxmemory that may be used before new work is refused"),
    API_DATABASE_CONNECTIONS: z.coerce
      .number()
      .int()
      .min(2)
      .max(100)
      .default(10)
      .describe("connections to PostgreSQL this process opens at most"),
    MARKETPLACE_KEYS: z
      .string()
      .transform((text, context): KeyRing => {
        try {
          return parseKeyRing(text);
        } catch (error) {
          context.addIssue({ code: "custom", message: (error as Error).message });
          return z.NEVER;
        }
      })
      .optional()
      .describe("keys of the accounts' credentials: id:base64 of 32 bytes, the newest first"),
    HISTORY_MOVE_AFTER_HOURS: z.coerce
      .number()
      .min(1)
      .max(24 * 366)
      .default(24)
      .describe("hours after its end until a run moves from the live tables to history"),
    HISTORY_KEEP_MONTHS: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_200)
      .default(13)
      .describe("whole months of history that are kept, besides the present one"),
  })
  .superRefine(checkStorage);

/** Read the API's settings, or throw one error that names every bad variable. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = readEnv(EnvSchema, env);
  const storage = storageConfig(read);
  return {
    ...serviceConfig(read),
    database: { url: read.DATABASE_URL, poolMax: read.API_DATABASE_CONNECTIONS },
    queue: queueConfig(read),
    storage: { url: storage.url, credentials: storage.credentials },
    history: {
      moveAfterMs: read.HISTORY_MOVE_AFTER_HOURS * 3_600_000,
      keepMonths: read.HISTORY_KEEP_MONTHS,
    },
    admission: {
      outboxRuns: read.API_OUTBOX_LIMIT,
      engineMemoryShare: read.API_ENGINE_MEMORY_LIMIT,
    },
    ...(read.MARKETPLACE_KEYS === undefined ? {} : { keys: read.MARKETPLACE_KEYS }),
    listen: { host: read.API_HOST, port: read.API_PORT },
    limits: {
      requestsPerMinute: read.API_RATE_LIMIT_PER_MINUTE,
      bodyBytes: read.API_BODY_LIMIT_BYTES,
    },
  };
}
