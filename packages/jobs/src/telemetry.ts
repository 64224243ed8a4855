import type { Tracer } from "./tracing.ts";

/** The little of a logger that the runtime uses; pino fits. */
export interface Log {
  debug(values: object, message: string): void;
  info(values: object, message: string): void;
  warn(values: object, message: string): void;
  error(values: object, message: string): void;
  child(bindings: Record<string, unknown>): Log;
}

/** Where the runtime reports to; `@ballast/service` fits. */
export interface RuntimeTelemetry {
  readonly log: Log;
  /** Absent where nothing is traced. */
  readonly tracer?: Tracer;
  /** Of the app, so that a dead letter tells which code ran. */
  readonly version: string;
  /** Aborted when the process was told to stop. */
  readonly stopping: AbortSignal;
  /** Add a check of life: why an orchestrator should start this process anew, if it should. */
  liveness(name: string, check: () => string | undefined): void;
  /** Hooks start within the async context that threw what nobody caught; the process exits after them. */
  onFatal(hook: (error: unknown) => Promise<void>): void;
  readonly jobs: {
    attemptEnded(end: {
      queue: string;
      job: string;
      outcome: string;
      code?: string;
      durationSeconds: number;
      waitSeconds: number;
    }): void;
    stalled(queue: string): void;
    /** @param bulkCount how many of `count` are bulk work */
    dispatched(queue: string, count: number, lagSeconds: number, bulkCount: number): void;
    /** Time since this process was last given a job, or a canary. */
    canaryAge(queue: string, seconds: number): void;
  };
}

/** Each message at most once in this time; one outage raises thousands of equal errors a second. */
const QUIET_MS = 10_000;

/** Log an error, or count it if the same was logged a moment ago. */
export function quietErrorLog(log: Log, where: string): (error: Error) => void {
  const seen = new Map<string, { until: number; suppressed: number }>();
  return (error) => {
    const now = Date.now();
    const last = seen.get(error.message);
    if (last !== undefined && last.until > now) {
      last.suppressed += 1;
      return;
    }
    if (seen.size > 100) seen.clear(); // messages may hold ids: bounded
    seen.set(error.message, { until: now + QUIET_MS, suppressed: 0 });
    log.warn({ err: error, suppressed: last?.suppressed ?? 0 }, `${where} reported an error`);
  };
}
