/** What BullMQ holds per worker or per set, and therefore belongs to the queue and not to one job. */
export interface QueuePolicy {
  /** How long a worker may go without renewing its claim on a job. */
  readonly lockDurationMs: number;
  /** How often workers look for jobs whose lock ran out. */
  readonly stalledIntervalMs: number;
  /** Crashes one job may survive before it is dead. */
  readonly maxStalledCount: number;
  /** Attempts one process runs at a time, unless its own settings say otherwise. */
  readonly concurrency: number;
  /** Completed jobs stay in the engine this long or this many, whichever ends first. */
  readonly completedKept: { readonly ageSeconds: number; readonly count: number };
  /** On shutdown: time an attempt gets before it is aborted and handed back. */
  readonly handBackAfterMs: number;
  /** On shutdown: time an attempt inside an irreversible step gets. */
  readonly gracePeriodMs: number;
}

export interface QueueDefinition extends QueuePolicy {
  readonly name: string;
}

/** The longest time a timer of Node.js takes, 24.8 days; it fires at once for anything longer. */
export const MAX_TIMER_MS = 2_147_483_647;

const LEAST = {
  lockDurationMs: 1,
  stalledIntervalMs: 1,
  concurrency: 1,
  maxStalledCount: 0,
  handBackAfterMs: 0,
  gracePeriodMs: 0,
};

/** Retention is the queue's alone: BullMQ applies one job's retention options to the whole set. */
const DEFAULTS: QueuePolicy = {
  lockDurationMs: 20_000,
  stalledIntervalMs: 5_000,
  maxStalledCount: 5,
  concurrency: 10,
  completedKept: { ageSeconds: 24 * 3_600, count: 5_000 },
  handBackAfterMs: 1_000,
  gracePeriodMs: 25_000,
};

/**
 * Declare a queue: one per blast radius, served by one deployable.
 *
 * @param name kebab-case noun, e.g. `marketplace-sync`
 * @throws {RangeError} if the name or a number cannot work
 */
export function defineQueue(name: string, policy: Partial<QueuePolicy> = {}): QueueDefinition {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new RangeError(`queue name "${name}" is not kebab-case`);
  const queue = { name, ...DEFAULTS, ...policy };
  for (const [key, min] of Object.entries(LEAST) as [keyof typeof LEAST, number][])
    if (!Number.isInteger(queue[key]) || queue[key] < min || queue[key] > MAX_TIMER_MS)
      throw new RangeError(
        `queue ${name}: ${key} must be a whole number in [${min}, ${MAX_TIMER_MS}], not ${queue[key]}`,
      );
  return Object.freeze(queue);
}

/** Longest time from a worker's sudden death until its job runs elsewhere, in milliseconds. */
export const recoveryBoundMs = (queue: QueueDefinition): number =>
  queue.lockDurationMs + 2 * queue.stalledIntervalMs;
