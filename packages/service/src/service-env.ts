import { z } from "zod";
import { type TracingConfig, tracingConfig, tracingEnv } from "./tracing/tracing-env.ts";

/** Variables every process has; spread it into the schema of an app's own. */
export const serviceEnv = {
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .describe("the least important level that is logged")
    .default("info"),
  BALLAST_VERSION: z
    .string()
    .regex(/^[\w.+-]{1,64}$/)
    .describe("version that dead letters name; what the app's package.json says if absent")
    .optional(),
  OPS_HOST: z
    .string()
    .describe("address of /healthz, /readyz and /metrics; keep it off the public network")
    .default("127.0.0.1"),
  OPS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .describe("port of /healthz, /readyz and /metrics; 0 takes any free one")
    .default(0),
  ...tracingEnv,
};

type ServiceEnv = z.output<z.ZodObject<typeof serviceEnv>>;

/** What {@link runService} needs of a service's configuration. */
export interface ServiceConfig {
  readonly ops: { readonly host: string; readonly port: number };
  /** What runs, for whoever reads a dead letter. */
  readonly version?: string;
  readonly log: { readonly level: ServiceEnv["LOG_LEVEL"] };
  /** Absent where nothing is traced. */
  readonly tracing?: TracingConfig;
}

/** Turn the parsed {@link serviceEnv} into configuration. */
export function serviceConfig(env: ServiceEnv): ServiceConfig {
  const tracing = tracingConfig(env);
  return {
    ...(env.BALLAST_VERSION === undefined ? {} : { version: env.BALLAST_VERSION }),
    ops: { host: env.OPS_HOST, port: env.OPS_PORT },
    log: { level: env.LOG_LEVEL },
    ...(tracing === undefined ? {} : { tracing }),
  };
}
