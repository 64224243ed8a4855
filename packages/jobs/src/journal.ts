import { setTimeout as pause } from "node:timers/promises";
import type { AttemptEnd, Progress, RunStore } from "./store.ts";
import type { Log } from "./telemetry.ts";
import { isUnstorable } from "./unstorable.ts";

/** The longest a finished attempt waits to be written. */
const FLUSH_AFTER_MS = 500;
/** Pause after PostgreSQL refused a write. */
const RETRY_AFTER_MS = 1_000;
const MAX_BATCH = 500;

export interface Journal extends AsyncDisposable {
  /** Note how an attempt ended; `urgent` is written at once, e.g. where a slot came free. */
  ended(end: AttemptEnd, urgent: boolean): void;
  progressed(update: Progress): void;
  /** Resolves once all that was noted is written, or throws after `deadlineMs`. */
  flush(deadlineMs?: number): Promise<void>;
}

/**
 * Write what happened to runs in batches, so that no job costs a round trip of its own. What is lost
 * in a crash is copied from the engine by the reconciler.
 */
export function openJournal(
  store: Pick<RunStore<unknown>, "ended" | "progressed">,
  log: Log,
): Journal {
  let ends: AttemptEnd[] = [];
  let progress = new Map<string, unknown>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failing = false;
  let closed = false;

  const writeEnds = async (batch: readonly AttemptEnd[]): Promise<void> => {
    try {
      if (batch.length > 0) await store.ended(batch);
    } catch (error) {
      if (!isUnstorable(error)) throw error;
      // One that can never be written must not keep its neighbours from being written.
      if (batch.length > 1) for (const end of batch) await writeEnds([end]);
      else log.error({ err: error, runId: batch[0]?.runId }, "end of an attempt not written");
    }
  };
  const write = async () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = ends.splice(0, MAX_BATCH);
    const updates = [...progress].map(([runId, value]) => ({ runId, progress: value }));
    progress = new Map();
    try {
      await writeEnds(batch);
      if (failing) log.info({}, "journal written again");
      failing = false;
    } catch (error) {
      ends = [...batch, ...ends]; // writing an end twice is harmless
      if (!failing)
        log.warn({ err: error, pending: ends.length }, "journal not written; will retry");
      failing = true;
    }
    // After the ends, and only for people: what cannot be written is forgotten.
    if (updates.length > 0 && !failing)
      await store
        .progressed(updates)
        .catch((error: unknown) => log.debug({ err: error }, "progress not written"));
    if (ends.length > 0 || progress.size > 0) schedule(failing ? RETRY_AFTER_MS : 0);
  };
  const schedule = (afterMs: number) => {
    if (closed && failing) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      writing = writing.then(write);
    }, afterMs);
  };
  const now = () => {
    if (failing) return schedule(RETRY_AFTER_MS);
    clearTimeout(timer);
    timer = undefined;
    schedule(0);
  };

  return {
    ended(end, urgent) {
      ends.push(end);
      progress.delete(end.runId);
      if (urgent || ends.length >= MAX_BATCH) now();
      else schedule(FLUSH_AFTER_MS);
    },
    progressed({ runId, progress: value }) {
      progress.set(runId, value);
      schedule(FLUSH_AFTER_MS);
    },
    async flush(deadlineMs = 2_000) {
      let timer: NodeJS.Timeout | undefined;
      let late = false;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          late = true;
          resolve();
        }, deadlineMs);
      });
      while (!late && (ends.length > 0 || progress.size > 0)) {
        writing = writing.then(write);
        await Promise.race([writing, deadline]);
        if (failing) await Promise.race([pause(100), deadline]);
      }
      await Promise.race([writing, deadline]);
      clearTimeout(timer);
      if (late) throw new Error(`what ended was not written within ${deadlineMs} ms`);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await this.flush().catch((error: unknown) =>
        log.warn(
          { err: error },
          "journal closed with unwritten ends; the reconciler will copy them",
        ),
      );
      clearTimeout(timer);
    },
  };
}
