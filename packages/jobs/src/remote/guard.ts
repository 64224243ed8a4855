import type { Throttle } from "./throttle.ts";

export interface RemoteCall {
  /** In the remote's own units. Default 1; 0 is for calls that its quota does not count. */
  readonly cost?: number;
  readonly signal: AbortSignal;
}

/** Puts each call to one remote account behind its gate and its quota. */
export interface RemoteGuard {
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
