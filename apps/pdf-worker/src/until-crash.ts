import { setTimeout as delay } from "node:timers/promises";
import { DocumentTooLargeError } from "./print-errors.ts";
import { untilAborted } from "./until-aborted.ts";

/** How long after a failed command the death of its page may still be told, on a busy machine too. */
const CRASH_TOLD_MS = 2_000;

/**
 * What a print gives, or why its page died. The command that waits on a dying page may fail before the
 * death is told, in words that tell nothing of its cause: the death counts.
 *
 * @param crashed aborts with the cause when the page dies
 */
export async function untilCrash<T>(
  printed: Promise<T>,
  crashed: AbortSignal,
  patienceMs = CRASH_TOLD_MS,
): Promise<T> {
  try {
    return await untilAborted(printed, crashed);
  } catch (error) {
    if (error instanceof DocumentTooLargeError) throw error;
    await delay(patienceMs, undefined, { signal: crashed }).catch(() => {});
    throw crashed.aborted ? crashed.reason : error;
  }
}
