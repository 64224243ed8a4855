/** What a remote's answer told about its quota; whatever it did not tell is absent. */
export interface Throttle {
  readonly isThrottled: boolean;
  readonly retryAfterMs?: number;
  readonly capacity?: number;
  readonly remaining?: number;
  readonly restorePerSecond?: number;
  readonly resetMs?: number;
  readonly cost?: number;
}

/** Puts each call to one remote account behind its gate and its quota. */
export interface RemoteGuard {
  call<T>(
    options: { readonly cost?: number; readonly signal: AbortSignal },
    call: () => Promise<{ readonly value: T; readonly throttle?: Throttle }>,
  ): Promise<T>;
}
