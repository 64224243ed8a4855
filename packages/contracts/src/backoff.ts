/** How long a run waits between attempts. */
export interface Backoff {
  readonly type: "exponential" | "fixed";
  readonly delayMs: number;
  /** Upper end of an exponential wait; none if absent. */
  readonly maxDelayMs?: number;
  /** Share of the wait that chance may take away, in `[0, 0.5]`; 0 is off. */
  readonly jitter: number;
}

/**
 * Delay before the next attempt, in milliseconds; jitter only shortens it.
 *
 * @param attempt finished attempts, from 1
 * @param random a number in `[0, 1)`
 * @returns a whole number in `[d * (1 - jitter), d]`, `d` = the backoff's full wait
 * @throws {RangeError} if `attempt` is below 1
 * @see M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015
 */
export function backoffDelayMs(
  backoff: Backoff,
  attempt: number,
  random: () => number = Math.random,
): number {
  if (!(attempt >= 1)) throw new RangeError(`attempt counts from 1, got ${attempt}`);
  const growth = backoff.type === "fixed" ? 1 : 2 ** Math.min(attempt - 1, 52);
  // Both bounds keep a forgotten cap from becoming Infinity or NaN, which no engine stores.
  const full = Math.min(backoff.delayMs * growth, backoff.maxDelayMs ?? Number.MAX_SAFE_INTEGER);
  return Math.ceil(full * (1 - backoff.jitter * random()));
}
