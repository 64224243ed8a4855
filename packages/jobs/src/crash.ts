import { AsyncLocalStorage } from "node:async_hooks";
import { asJobError } from "./errors.ts";
import type { Running } from "./running.ts";
import type { RunStore } from "./store.ts";
import type { Log } from "./telemetry.ts";

/** An attempt as those know it whose process may end under it. */
export interface WorkingAttempt {
  readonly attemptId: string;
  readonly runId: string;
  readonly startedAt: Date;
}

const working = new AsyncLocalStorage<WorkingAttempt>();

/** Do an attempt's work so that whatever it leaves behind, a timer or a socket, is known to be its own. */
export const workingOn = <T>(attempt: WorkingAttempt, work: () => T): T =>
  working.run(attempt, work);

/**
 * Mark whose error ends this process, and let go of everything else.
 *
 * Must be called in the context that threw. If that belongs to no attempt, any of those that run may have
 * done it, and all are marked: each will run alone, and the innocent ones end well there.
 */
export async function noteCrash(
  error: unknown,
  {
    store,
    running,
    worker,
    log,
  }: {
    readonly store: Pick<RunStore<never>, "crashed">;
    readonly running: Running;
    readonly worker: string;
    readonly log: Log;
  },
): Promise<void> {
  const culprit = working.getStore();
  const suspects = culprit === undefined ? running.working() : [culprit];
  const { message, stack } = asJobError(error);
  const crashedAt = new Date();
  try {
    await store.crashed(
      suspects.map(({ attemptId, runId, startedAt }) => ({
        attemptId,
        runId,
        startedAt,
        crashedAt,
        worker,
        message,
        stack: stack ?? null,
      })),
    );
    log.error({ runIds: suspects.map(({ runId }) => runId) }, "runs marked: their process ends");
    running.stop(suspects, "crashed");
  } catch (failure) {
    log.error({ err: failure }, "could not mark whose error this was; their locks will tell");
    // Not handed back: whoever sees the stall puts them into quarantine as well.
    running.stop(suspects, "lease_lost");
  }
  running.stopAll("shutdown", { hard: true });
}
