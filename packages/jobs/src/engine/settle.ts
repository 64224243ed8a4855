import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import type { Outcome } from "../outcome.ts";

/** Tells BullMQ's backoff strategy how long this retry waits. */
class RetryError extends Error {
  readonly delayMs: number;

  constructor(cause: Error, delayMs: number) {
    super(cause.message, { cause });
    this.name = cause.name;
    if (cause.stack !== undefined) this.stack = cause.stack;
    this.delayMs = delayMs;
  }
}

/** Total, whole-numbered and never below 0: anything else leaves a job active for ever. */
export const backoffStrategy = (_made: number, _type?: string, error?: Error): number =>
  error instanceof RetryError ? Math.max(0, Math.trunc(error.delayMs)) : 1_000;

/** PostgreSQL may pick this move as the victim of a deadlock; the move is then safe to repeat. */
async function moved(move: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await move();
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "40P01" || attempt === 5) throw error;
    }
  }
}

/** `classify` counts attempts; BullMQ must not end a run first. The largest that PostgreSQL stores. */
export const ENDLESS_ATTEMPTS = 2_147_483_647;

/**
 * Put the policy of the contract into the job, so that a bare `queue.add` obeys it too. Retention
 * belongs to the queue: one job's options would apply to the whole set.
 */
export function imposePolicy(job: Job): void {
  job.opts.attempts = ENDLESS_ATTEMPTS;
  job.opts.backoff = { type: "ballast" };
  job.opts.stackTraceLimit = 3;
  delete job.opts.removeOnComplete;
  delete job.opts.removeOnFail;
}

/** Tell BullMQ how an attempt ended. `told` is called where the engine knows before this returns. */
export async function settle(
  job: Job,
  token: string,
  outcome: Outcome,
  told: () => void,
): Promise<unknown> {
  switch (outcome.kind) {
    case "completed":
      return outcome.result;
    case "cancelled":
      return { outcome: "cancelled" }; // no failed entry: nobody died
    case "retry":
      throw new RetryError(outcome.error, outcome.delayMs);
    case "dead":
      throw new UnrecoverableError(`${outcome.error.code}: ${outcome.error.message}`);
    case "postpone":
      await moved(() => job.moveToDelayed(Date.now() + outcome.delayMs, token));
      told();
      throw new DelayedError();
    case "interrupted":
      // A lost lock means that the job is somebody else's by now: nothing to hand back.
      if (outcome.reason !== "lease_lost") {
        await moved(() => job.moveToWait(token));
        told();
      }
      throw new WaitingError();
    default:
      return outcome satisfies never;
  }
}
