import type { Metrics } from "./metrics.ts";

/** How one attempt ended, as the job runtime reports it. */
export interface AttemptEnd {
  readonly queue: string;
  readonly job: string;
  readonly outcome: string;
  /** The error's stable code, if it ended with one. */
  readonly code?: string;
  readonly durationSeconds: number;
  readonly waitSeconds: number;
}

export interface JobMetrics {
  attemptEnded(end: AttemptEnd): void;
  stalled(queue: string): void;
  /**
   * @param lagSeconds age of the oldest run of this batch
   * @param bulkCount how many of `count` are bulk work
   */
  dispatched(queue: string, count: number, lagSeconds: number, bulkCount: number): void;
  canaryAge(queue: string, seconds: number): void;
}

/** A code comes from an error, which may come from anywhere; past this many, the rest is one series. */
const MAX_CODES_PER_JOB = 100;

/** Count what becomes of jobs. Each label set is bound once, since binding costs more than counting. */
export function jobMetrics(metrics: Metrics): JobMetrics {
  const attemptsOf = memo((queue) => memo((job) => bindJob(metrics, queue, job)));
  const stallsOf = memo((queue) => metrics.stalls.labels(queue));
  const dispatchedOf = memo((queue) => memo((bulk) => metrics.dispatched.labels(queue, bulk)));

  return {
    attemptEnded({ queue, job, outcome, code, durationSeconds, waitSeconds }) {
      const bound = attemptsOf(queue)(job);
      bound.outcome(outcome).inc();
      if (code !== undefined) bound.error(code).inc();
      bound.duration.observe(durationSeconds);
      bound.wait.observe(waitSeconds);
    },
    stalled: (queue) => stallsOf(queue).inc(),
    canaryAge: (queue, seconds) => metrics.canaryAge.set({ queue }, seconds),
    dispatched(queue, count, lagSeconds, bulkCount) {
      dispatchedOf(queue)("false").inc(count - bulkCount);
      dispatchedOf(queue)("true").inc(bulkCount);
      metrics.outboxLag.observe(lagSeconds);
    },
  };
}

function bindJob(metrics: Metrics, queue: string, job: string) {
  const known = new Set<string>();
  const errorOf = memo((code) => metrics.errors.labels(queue, job, code));
  return {
    outcome: memo((outcome) => metrics.attempts.labels(queue, job, outcome)),
    error(code: string) {
      if (!known.has(code) && known.size >= MAX_CODES_PER_JOB) return errorOf("other");
      known.add(code);
      return errorOf(code);
    },
    duration: metrics.attemptDuration.labels(queue, job),
    wait: metrics.waitDuration.labels(queue, job),
  };
}

function memo<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const fresh = make(key);
    made.set(key, fresh);
    return fresh;
  };
}
