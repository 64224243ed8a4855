import { type AnyJob, backoffDelayMs } from "@ballast/contracts";
import {
  asJobError,
  DependencyDownError,
  type JobError,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "./errors.ts";

/** The closed set of ways an attempt can end. */
export type Outcome =
  | { readonly kind: "completed"; readonly result: unknown }
  | { readonly kind: "retry"; readonly error: JobError; readonly delayMs: number }
  | { readonly kind: "postpone"; readonly error: JobError; readonly delayMs: number }
  | { readonly kind: "interrupted"; readonly reason: AbortCause | "quarantine" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "dead"; readonly error: JobError };

/** Why an attempt was told to stop. */
export type AbortCause =
  | "timeout"
  | "shutdown"
  | "lease_lost"
  | "cancelled"
  /** Its error ends the process; that is written down already. */
  | "crashed";

export interface Circumstances {
  readonly contract: Pick<AnyJob, "name" | "attempts" | "backoff" | "timeoutMs">;
  /** This attempt's number, from 1. */
  readonly attempt: number;
  readonly abortedBy: AbortCause | undefined;
  readonly now: Date;
  readonly deadlineAt: Date;
  readonly random?: () => number;
}

/** Wait after a dependency failed without saying how long: long enough not to hammer it. */
const DEPENDENCY_WAIT_MS = 5_000;
/** Shortest wait of a postponed job, so that "0" from a remote cannot spin. */
const SHORTEST_WAIT_MS = 100;

/** Decide what becomes of an attempt whose handler threw. Pure. */
export function classify(thrown: unknown, at: Circumstances): Outcome {
  const error = asJobError(thrown);
  // A handler that says "never" knows more than the clock, e.g. that an outcome is unknown.
  if (error instanceof PermanentError) return { kind: "dead", error };
  if (at.abortedBy === "cancelled") return { kind: "cancelled" };
  if (at.abortedBy === "shutdown" || at.abortedBy === "lease_lost" || at.abortedBy === "crashed")
    return { kind: "interrupted", reason: at.abortedBy };
  if (at.abortedBy === "timeout")
    return retry(
      new TransientError("attempt_timeout", `no end after ${at.contract.timeoutMs} ms`, {
        cause: thrown,
      }),
      at,
    );
  if (error instanceof RateLimitedError) return postpone(error, error.retryAfterMs, at);
  if (error instanceof DependencyDownError)
    return postpone(error, error.retryAfterMs ?? DEPENDENCY_WAIT_MS, at);
  return retry(error, at);
}

/** Put an attempt off without counting it, unless its deadline would pass meanwhile. */
export function postpone(error: JobError, waitMs: number, at: Circumstances): Outcome {
  // A Retry-After that could not be read comes as NaN, which is no reason to give up.
  const delayMs = Number.isNaN(waitMs)
    ? DEPENDENCY_WAIT_MS
    : Math.max(SHORTEST_WAIT_MS, Math.ceil(waitMs));
  return inTime(delayMs, at) ? { kind: "postpone", error, delayMs } : tooLate(error, at);
}

function retry(error: JobError, at: Circumstances): Outcome {
  if (at.attempt >= at.contract.attempts) return { kind: "dead", error };
  const delayMs = backoffDelayMs(at.contract.backoff, at.attempt, at.random);
  return inTime(delayMs, at) ? { kind: "retry", error, delayMs } : tooLate(error, at);
}

const inTime = (delayMs: number, at: Circumstances): boolean =>
  at.now.getTime() + delayMs <= at.deadlineAt.getTime();

const tooLate = (error: JobError, at: Circumstances): Outcome => ({
  kind: "dead",
  error: new PermanentError(
    "deadline_exceeded",
    `deadline ${at.deadlineAt.toISOString()} would pass before the next attempt; last: ${error.message}`,
    { cause: error },
  ),
});
