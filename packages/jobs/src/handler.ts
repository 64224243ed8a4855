import type { AnyJob, PayloadOf, ResultOf } from "@ballast/contracts";
import type { Lease } from "./lease.ts";
import type { Log } from "./telemetry.ts";

/** What a handler is given: its work, and how to let go. */
export interface Attempt<Payload> {
  readonly payload: Payload;
  /** Aborts on timeout, shutdown, cancellation and a lost lock. Pass it to everything that waits. */
  readonly signal: AbortSignal;
  /** Carries job id, subject and trace id. */
  readonly log: Log;
  /** Tell people how far the work is; small values, written at most four times a second. */
  readonly progress: (value: unknown) => void;
  readonly lease: Lease;
  readonly runId: string;
  readonly requestId: string | null;
  readonly attemptId: string;
  /** The attempt's number, from 1; postponed starts do not count. */
  readonly attempt: number;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly traceparent: string | null;
}

/** A contract bound to the code that does its work. */
export interface Handler {
  readonly contract: AnyJob;
  readonly run: (attempt: Attempt<never>) => Promise<unknown>;
}

/**
 * Bind a handler to its contract. It runs more than once, also after it succeeded, so it first asks
 * whether the work is done already.
 */
export const handle = <Job extends AnyJob>(
  contract: Job,
  run: (attempt: Attempt<PayloadOf<Job>>) => Promise<ResultOf<Job>>,
): Handler => ({ contract, run: run as (attempt: Attempt<never>) => Promise<unknown> });
