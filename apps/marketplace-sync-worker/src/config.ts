import { marketplaceSync } from "@ballast/contracts";
import { type KeyRing, parseKeyRing } from "@ballast/database";
import {
  type Env,
  queueConfig,
  readEnv,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { z } from "zod";

export const EnvSchema = z.object({
  ...serviceEnv,
  ...storesEnv,
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
    .describe("keys of the accounts' credentials: id:base64 of 32 bytes, the newest first"),
  MARKETPLACE_ALLOW_PRIVATE: z
    .enum(["yes", "no"])
    .default("no")
    .describe("yes: accounts may point to this machine and private networks, without TLS"),
  MARKETPLACE_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(marketplaceSync.concurrency)
    .describe("accounts this process works on at a time"),
  MARKETPLACE_PUSH_BUDGET_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(60_000)
    .default(20_000)
    .describe("time after which the push of an account lets another account have its place"),
  MARKETPLACE_DATABASE_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe("connections to PostgreSQL this process opens at most"),
});

export interface MarketplaceSyncConfig extends ServiceConfig {
  readonly database: { readonly url: string; readonly poolMax: number };
  readonly queue: { readonly url: string; readonly prefix: string };
  readonly keys: KeyRing;
  readonly allowPrivate: boolean;
  readonly concurrency: number;
  readonly pushBudgetMs: number;
}

/** Read this worker's settings, or throw one error that names every bad variable. */
export function loadConfig(env: Env): MarketplaceSyncConfig {
  const read = readEnv(EnvSchema, env);
  return {
    ...serviceConfig(read),
    database: { url: read.DATABASE_URL, poolMax: read.MARKETPLACE_DATABASE_CONNECTIONS },
    queue: queueConfig(read),
    keys: read.MARKETPLACE_KEYS,
    allowPrivate: read.MARKETPLACE_ALLOW_PRIVATE === "yes",
    concurrency: read.MARKETPLACE_CONCURRENCY,
    pushBudgetMs: read.MARKETPLACE_PUSH_BUDGET_MS,
  };
}
