import type { DestinationStream } from "pino";
import { Registry } from "prom-client";
import { type JobMetrics, jobMetrics } from "./job-metrics.ts";
import { type Liveness, type LivenessCheck, openLiveness } from "./liveness.ts";
import { type Logger, openLogger } from "./logger.ts";
import { declareMetrics, type Metrics } from "./metrics.ts";
import { openReadiness, type Readiness, type ReadinessCheck } from "./readiness.ts";
import type { Tracer } from "./tracing/tracer.ts";

/** Runs when an error was caught by nobody, before the process exits; all hooks share 2 s. */
export type FatalHook = (error: unknown) => Promise<void> | void;

/** What a service reports through, and how it learns that it should stop. */
export interface Telemetry {
  readonly log: Logger;
  /** Of the app: BALLAST_VERSION, or what its package.json says. */
  readonly version: string;
  readonly registry: Registry;
  /** Every declared metric, by name. */
  readonly metrics: Metrics;
  readonly jobs: JobMetrics;
  /** Absent where nothing is traced: spans then cost nothing. */
  readonly tracer?: Tracer;
  /** Aborted when the process was told to stop. */
  readonly stopping: AbortSignal;
  /** Add a check to `/readyz`; it has 1 s to resolve. A service without any is never ready. */
  readiness(name: string, check: ReadinessCheck): void;
  /** Add a check to `/healthz`; a process that fails one should be started anew. */
  liveness(name: string, check: LivenessCheck): void;
  /** Hooks start in order, synchronously within the context that threw, and finish in any order. */
  onFatal(hook: FatalHook): void;
}

interface OpenTelemetry {
  readonly telemetry: Telemetry;
  readonly checks: Readiness;
  readonly life: Liveness;
  readonly fatalHooks: readonly FatalHook[];
}

/** Put together what a process reports through; nothing is served and no signal handled yet. */
export function openTelemetry(options: {
  readonly service: string;
  readonly version?: string;
  readonly level: string;
  readonly stopping: AbortSignal;
  readonly destination?: DestinationStream;
}): OpenTelemetry {
  const registry = new Registry();
  const metrics = declareMetrics(registry);
  const checks = openReadiness(options.stopping, (check, isReady) =>
    metrics.ready.set({ check }, Number(isReady)),
  );
  const life = openLiveness();
  const fatalHooks: FatalHook[] = [];
  return {
    checks,
    life,
    fatalHooks,
    telemetry: {
      log: openLogger(options, options.destination),
      version: options.version ?? "unknown",
      registry,
      metrics,
      jobs: jobMetrics(metrics),
      stopping: options.stopping,
      readiness: (name, check) => checks.add(name, check),
      liveness: (name, check) => life.add(name, check),
      onFatal: (hook) => fatalHooks.push(hook),
    },
  };
}
