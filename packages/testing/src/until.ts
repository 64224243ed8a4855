import { setTimeout as pause } from "node:timers/promises";

export interface UntilOptions {
  /** Give up after this long. Default 30,000: it ends what hangs, and a busy machine is not it. */
  readonly deadlineMs?: number;
  /** Time between two looks. Default 20. */
  readonly intervalMs?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

/**
 * Look until `condition` gives something other than `undefined`, `null` or `false`, and return that.
 *
 * @throws if the deadline passes first; an error that the last look threw is its `cause`
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { deadlineMs = 30_000, intervalMs = 20, what = "the condition" }: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    let failure: unknown;
    try {
      const found = await condition();
      if (found !== undefined && found !== null && found !== false)
        return found as Exclude<T, undefined | null | false>;
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= deadline)
      throw new Error(`${what} did not come true within ${deadlineMs} ms: ${condition}`, {
        cause: failure,
      });
    await pause(intervalMs);
  }
}
