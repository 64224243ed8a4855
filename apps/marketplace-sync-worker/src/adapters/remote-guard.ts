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

export function throttleFromHeaders(
  status: number,
  headers: Readonly<Record<string, string>>,
  now: number,
): Throttle {
  const text = headers["retry-after"]?.trim() ?? "";
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  const retryAfterMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000
    : Number.isNaN(at)
      ? undefined
      : Math.max(0, at - now);
  return { isThrottled: status === 429, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
