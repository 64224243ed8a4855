import { TransientError } from "./errors.ts";
import type { AbortCause } from "./outcome.ts";

/** A handler's hold on its job: whether it still may act, and which of its steps must not be cut. */
export interface Lease {
  /** @throws if this attempt was told to stop or lost its lock */
  check(): void;
  /**
   * Do what cannot be taken back. Refuses to begin once the attempt was told to stop; once begun,
   * shutdown and cancellation wait for it. Its own signal aborts on timeout, on a lost lock and at
   * the end of the grace period.
   */
  step<T>(irreversible: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Causes that also cut an irreversible step: waiting any longer would not make it safer. */
const HARD: ReadonlySet<AbortCause> = new Set(["timeout", "lease_lost"]);

/**
 * The stop switch of one attempt, and the lease handed to its handler.
 *
 * Its signals are made for whoever asks for them: one costs more than all else that an attempt needs.
 */
export class StopSwitch implements Lease {
  #soft: AbortController | undefined;
  #hard: AbortController | undefined;
  #cause: AbortCause | undefined;
  /** What the soft signal says, made or not. */
  #reason: TransientError | undefined;
  #whenStopped: ((reason: TransientError) => void) | undefined;
  #isHeld = () => true;
  #steps = 0;

  get signal(): AbortSignal {
    if (this.#soft === undefined) {
      this.#soft = new AbortController();
      if (this.#reason !== undefined) this.#soft.abort(this.#reason);
    }
    return this.#soft.signal;
  }

  get cause(): AbortCause | undefined {
    return this.#cause;
  }

  get inStep(): boolean {
    return this.#steps > 0;
  }

  /** Tell the attempt to stop; the first cause stays. `hard` cuts an irreversible step too. */
  stop(cause: AbortCause, { hard = HARD.has(cause) }: { hard?: boolean } = {}): void {
    this.#cause ??= cause;
    if (hard) this.#hard?.abort(stopped(this.#cause));
    if (hard || !this.inStep) this.#stopSoftly(this.#cause);
  }

  /** Have it called once, as soon as {@link signal} aborts. */
  whenStopped(act: (reason: TransientError) => void): void {
    this.#whenStopped = act;
    if (this.#reason !== undefined) act(this.#reason);
  }

  /** Have the lock looked at before each step: after a handler blocked its process, no timer comes first. */
  guard(isHeld: () => boolean): void {
    this.#isHeld = isHeld;
  }

  check(): void {
    if (this.#cause === undefined && !this.#isHeld()) this.stop("lease_lost");
    if (this.#cause !== undefined) throw stopped(this.#cause);
  }

  async step<T>(irreversible: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.check();
    this.#hard ??= new AbortController();
    this.#steps += 1;
    try {
      return await irreversible(this.#hard.signal);
    } finally {
      this.#steps -= 1;
      // What waited for the step may now stop the rest.
      if (this.#cause !== undefined && !this.inStep) this.#stopSoftly(this.#cause);
    }
  }

  #stopSoftly(cause: AbortCause): void {
    if (this.#reason !== undefined) return;
    this.#reason = stopped(cause);
    this.#soft?.abort(this.#reason);
    this.#whenStopped?.(this.#reason);
  }
}

const stopped = (cause: AbortCause): TransientError =>
  new TransientError("attempt_stopped", `the attempt was told to stop: ${cause}`);
