import type { Log } from "@ballast/jobs";

/** One look at one run's changes. */
export interface Watching extends Disposable {
  /** Resolves with `true` once the run has changed since the last call, with `false` after `ms` without a change or on abort. */
  changed(ms: number, signal: AbortSignal): Promise<boolean>;
}

export interface JobWatch extends AsyncDisposable {
  /** Watch a run for changes after `changeNo`. */
  watch(runId: string, changeNo: number): Watching;
  /** Runs that are watched now. */
  readonly watched: number;
}

export interface JobWatchOptions {
  /** Which of these runs changed after `changeNo`, each with its newest number. */
  changedSince(
    runIds: readonly string[],
    changeNo: number,
  ): Promise<ReadonlyArray<{ readonly runId: string; readonly changeNo: number }>>;
  readonly log: Pick<Log, "warn">;
}

/** People see a change within this time; one query serves all of them. */
const POLL_MS = 400;

interface Watcher {
  readonly runId: string;
  seen: number;
  pending: boolean;
  wake: (() => void) | undefined;
}

/** Watch the journal for everybody in this process with one query at a time, and none when nobody looks. */
export function openJobWatch({ changedSince, log }: JobWatchOptions): JobWatch {
  const watchers = new Set<Watcher>();
  let polling: Promise<void> | undefined;
  let endPause: (() => void) | undefined;

  const look = async (): Promise<void> => {
    const runIds = [...new Set([...watchers].map(({ runId }) => runId))];
    const since = Math.min(...[...watchers].map(({ seen }) => seen));
    const changes = await changedSince(runIds, since);
    const newest = new Map(changes.map(({ runId, changeNo }) => [runId, changeNo]));
    for (const watcher of watchers) {
      const changeNo = newest.get(watcher.runId);
      if (changeNo === undefined || changeNo <= watcher.seen) continue;
      watcher.seen = changeNo;
      watcher.pending = true;
      watcher.wake?.();
    }
  };

  const loop = async (): Promise<void> => {
    let failing = false;
    while (watchers.size > 0) {
      try {
        await look();
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ err: error }, "cannot look for changed jobs; will retry");
        failing = true;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        endPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const start = () => {
    polling ??= loop().finally(() => {
      polling = undefined;
      if (watchers.size > 0) start(); // came while the loop was ending
    });
  };

  return {
    get watched() {
      return new Set([...watchers].map(({ runId }) => runId)).size;
    },
    watch(runId, changeNo) {
      const watcher: Watcher = { runId, seen: changeNo, pending: false, wake: undefined };
      watchers.add(watcher);
      start();
      return {
        changed: (ms, signal) => untilChanged(watcher, ms, signal),
        [Symbol.dispose]() {
          watchers.delete(watcher);
          watcher.wake?.();
          if (watchers.size === 0) endPause?.();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const watcher of watchers) watcher.wake?.();
      watchers.clear();
      endPause?.();
      await polling;
    },
  };
}

async function untilChanged(watcher: Watcher, ms: number, signal: AbortSignal): Promise<boolean> {
  if (!watcher.pending && !signal.aborted)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      watcher.wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  watcher.wake = undefined;
  const { pending } = watcher;
  watcher.pending = false;
  return pending;
}
