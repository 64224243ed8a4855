export { ConfigError } from "./config-error.ts";
export type { AttemptEnd, JobMetrics } from "./job-metrics.ts";
export { type Logger, openLogger } from "./logger.ts";
export type { Metrics } from "./metrics.ts";
export { type Env, readEnv } from "./read-env.ts";
export type { ReadinessCheck } from "./readiness.ts";
export { runService } from "./run-service.ts";
export { type ServiceConfig, serviceConfig, serviceEnv } from "./service-env.ts";
export { type FatalHook, openTelemetry, type Telemetry } from "./telemetry.ts";
