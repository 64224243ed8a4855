import type { Throttle } from "./throttle.ts";

export interface RemoteCall {
  /** In the remote's own units. Default 1; 0 is for calls that its quota does not count. */
  readonly cost?: number;
  readonly signal: AbortSignal;
}

/** Puts each call to one remote account behind its gate and its quota. */
export interface RemoteGuard {
  /**
   * Do nothing while calls go through: for whoever has work to do before a call that would be in vain.
   *
   * @throws {DependencyDownError} as {@link call} would now
   */
  admit(signal: AbortSignal): Promise<void>;
  /**
   * Call when there is quota, and learn from what `call` returns or throws.
   *
   * Waits a short, bounded time for quota.
   *
   * @throws {RateLimitedError} with the exact wait, if there is none so soon
   * @throws {DependencyDownError} `gate_closed`, while the gate is closed and this call is not its probe
   */
  call<T>(
    options: RemoteCall,
    call: () => Promise<{ readonly value: T; readonly throttle?: Throttle }>,
  ): Promise<T>;
}

const NEVER = new AbortController().signal;

/** A guard for what knows nothing of guards: no quota, no throttle. */
export const throughGuard =
  (guard: RemoteGuard) =>
  <T>(call: () => Promise<T>, signal: AbortSignal = NEVER): Promise<T> =>
    guard.call({ cost: 0, signal }, async () => ({ value: await call() }));
