/** A signal that aborts when another does, or when the time is up. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Let go of both; to be called whatever happened. */
  release(): void;
}

/**
 * `AbortSignal.any` with `AbortSignal.timeout`, but released as soon as the work is done: those two keep a
 * timer and weak references for the whole time, which made up a tenth of a call.
 */
export function timeLimit(outer: AbortSignal, limitMs: number): TimeLimit {
  const inner = new AbortController();
  const follow = () => inner.abort(outer.reason);
  const timer = setTimeout(() => {
    inner.abort(new Error(`no whole answer within ${limitMs} ms`));
  }, limitMs);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  return {
    signal: inner.signal,
    release() {
      clearTimeout(timer);
      outer.removeEventListener("abort", follow);
    },
  };
}
