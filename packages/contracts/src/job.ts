import type { z } from "zod";
import type { Backoff } from "./backoff.ts";
import { MAX_TIMER_MS, type QueueDefinition } from "./queue.ts";

/** What one job promises: its payload, its result and how failure is treated. */
export interface JobContract<
  Name extends string = string,
  Payload extends z.ZodObject = z.ZodObject,
  Result extends z.ZodType = z.ZodType,
> {
  readonly queue: QueueDefinition;
  readonly name: Name;
  /** Whole number from 1. Within one version only optional fields are added. */
  readonly version: number;
  /** The lowest version workers still accept. */
  readonly oldestVersion: number;
  readonly payload: Payload;
  readonly result: Result;
  /** Starts that may end in failure before the run is dead; postpones do not count. */
  readonly attempts: number;
  readonly backoff: Backoff;
  /** Longest an attempt may take before its signal aborts. */
  readonly timeoutMs: number;
  /** Age at which a run that was only ever postponed is dead. */
  readonly giveUpAfterMs: number;
  /** 0 is the most urgent; BullMQ's scale, up to 2,097,151. */
  readonly priority: number;
  /** Wishes with one slot collapse: one run started, one waiting, the last change wins. */
  readonly slot: ((payload: z.output<Payload>) => string) | undefined;
  /** The business thing this is about, as `kind:id`; how people find the job again. */
  readonly subject: ((payload: z.output<Payload>) => string) | undefined;
  /** Payload fields that never leave in an alert or a ticket. */
  readonly privateFields: readonly string[];
  /** May be asked for by its name alone, over HTTP; others belong to the business change that asks for them. */
  readonly standalone: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: the functions of a contract take its own payload alone
export type AnyJob = JobContract<string, any, any>;
export type PayloadOf<Job extends AnyJob> = z.output<Job["payload"]>;
export type PayloadInput<Job extends AnyJob> = z.input<Job["payload"]>;
export type ResultOf<Job extends AnyJob> = z.output<Job["result"]>;

type JobSpec<N extends string, P extends z.ZodObject, R extends z.ZodType> = Pick<
  JobContract<N, P, R>,
  "queue" | "name" | "version" | "payload" | "result"
> &
  Partial<Omit<JobContract<N, P, R>, "backoff">> & { readonly backoff?: Partial<Backoff> };

/**
 * A wish of this priority, or a less urgent one, is bulk: it stays a row until there is room, so that what is
 * asked for by a person overtakes it, and its run can be stopped at any time.
 */
export const BULK_PRIORITY = 1_000;

/** 5 attempts that wait 2, 4, 8 and 16 s: enough for a hiccup; outages postpone instead. */
const DEFAULTS = {
  attempts: 5,
  timeoutMs: 60_000,
  giveUpAfterMs: 24 * 3_600_000,
  priority: 0,
  slot: undefined,
  subject: undefined,
  privateFields: [],
  standalone: false,
};
const BACKOFF: Backoff = { type: "exponential", delayMs: 2_000, jitter: 0 };

/**
 * Declare a job.
 *
 * @throws {RangeError} naming the field that cannot work
 */
export function defineJob<N extends string, P extends z.ZodObject, R extends z.ZodType>(
  spec: JobSpec<N, P, R>,
): JobContract<N, P, R> {
  const job = {
    ...DEFAULTS,
    oldestVersion: spec.version,
    ...spec,
    backoff: { ...BACKOFF, ...spec.backoff },
  };
  const whole = (field: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER) => {
    if (!Number.isInteger(value) || value < min || value > max)
      throw new RangeError(
        `job ${spec.name}: ${field} must be a whole number in [${min}, ${max}], not ${value}`,
      );
  };
  whole("version", job.version, 1);
  whole("oldestVersion", job.oldestVersion, 1, job.version);
  whole("attempts", job.attempts, 1);
  whole("backoff.delayMs", job.backoff.delayMs, 0, MAX_TIMER_MS);
  whole("backoff.maxDelayMs", job.backoff.maxDelayMs ?? MAX_TIMER_MS, 0, MAX_TIMER_MS);
  whole("timeoutMs", job.timeoutMs, 1, MAX_TIMER_MS);
  whole("giveUpAfterMs", job.giveUpAfterMs, 1);
  whole("priority", job.priority, 0, 2_097_151);
  if (!(job.backoff.jitter >= 0 && job.backoff.jitter <= 0.5))
    throw new RangeError(
      `job ${spec.name}: backoff.jitter must lie in [0, 0.5], not ${job.backoff.jitter}`,
    );
  return Object.freeze(job);
}
