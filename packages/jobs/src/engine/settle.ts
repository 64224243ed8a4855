import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import { isUnreachable } from "../unreachable.ts";
import type { Attempted } from "./engine.ts";
import { IMPOSED, isOurs } from "./ours.ts";

/** Tells BullMQ's backoff strategy how long this retry waits. */
class RetryError extends Error {
  readonly delayMs: number;

  constructor(cause: Error, delayMs: number) {
    super(cause.message, { cause });
    // Never the cause's: BullMQ reads names, and takes any "DelayedError" for its own.
    this.name = "RetryError";
    if (cause.stack !== undefined) this.stack = cause.stack;
    this.delayMs = delayMs;
  }
}

/** Total, whole-numbered and never below 0: anything else leaves a job active for ever. */
export const backoffStrategy = (_made: number, _type?: string, error?: Error): number =>
  error instanceof RetryError ? Math.max(0, Math.trunc(error.delayMs)) : 1_000;

const MOVES = 5;
const MOVE_AGAIN_MS = 1_000;

/**
 * Move a job in spite of a deadlock or a short outage; moves are safe to repeat. One that failed would
 * be taken for a failure of the job, and counted.
 *
 * @returns whether BullMQ says so. It refuses what is done already, by a try whose answer was lost, and to move a job
 * that somebody else has by now; either way this attempt has ended as it did.
 */
async function moved(move: () => Promise<unknown>): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      await move();
      return true;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code === "number") return false; // its own codes are numbers
      const isAway = isUnreachable(error);
      const isDeadlock = code === "40P01";
      if (attempt === MOVES || !(isAway || isDeadlock)) throw error;
      if (isAway) await new Promise((resolve) => setTimeout(resolve, MOVE_AGAIN_MS));
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
  if (!isOurs(job.opts)) job.opts.backoff = IMPOSED;
  job.opts.stackTraceLimit = 3;
  if (job.opts.removeOnComplete !== undefined) delete job.opts.removeOnComplete;
  if (job.opts.removeOnFail !== undefined) delete job.opts.removeOnFail;
}

/** Tell BullMQ how an attempt ended. `told` is called where the engine knows before this returns. */
export async function settle(
  job: Job,
  token: string,
  { outcome, told }: Attempted,
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
      told(await moved(() => job.moveToDelayed(Date.now() + outcome.delayMs, token)));
      throw new DelayedError();
    case "interrupted":
      // A lost lock means that the job is somebody else's by now: nothing to hand back.
      told(outcome.reason === "lease_lost" || (await moved(() => job.moveToWait(token))));
      throw new WaitingError();
    default:
      return outcome satisfies never;
  }
}
