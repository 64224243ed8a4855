import { setImmediate as breathe } from "node:timers/promises";
import type { Database } from "../database.ts";
import { moveToHistory, oldestToMove } from "./move.ts";
import { dropPartitions, makePartitions, monthOf } from "./partitions.ts";

export interface HistoryPolicy {
  /** Runs move this long after they ended. */
  readonly moveAfterMs: number;
  /** Whole months that are kept, besides the present one. */
  readonly keepMonths: number;
}

export interface HistoryKept {
  readonly movedRuns: number;
  readonly madePartitions: readonly string[];
  readonly droppedPartitions: readonly string[];
}

/** Small enough to be over in some tens of milliseconds. */
const BATCH = 500;

/**
 * Move what has been over for a while out of the live tables, and drop what is too old to be kept.
 *
 * Any number of processes may, at once and again; one that ends in between has left nothing half done.
 *
 * @param signal ends it after the batch at hand
 * @throws if a partition to be dropped is read for more than some seconds; the next call goes on from there
 */
export async function keepHistory(
  database: Database,
  { moveAfterMs, keepMonths }: HistoryPolicy,
  signal?: AbortSignal,
): Promise<HistoryKept> {
  const now = new Date();
  const oldest = (await oldestToMove(database, moveAfterMs)) ?? now;
  const madePartitions = await makePartitions(database, oldest, now);
  let movedRuns = 0;
  while (!signal?.aborted) {
    const moved = await moveToHistory(database, moveAfterMs, BATCH);
    movedRuns += moved;
    if (moved < BATCH) break;
    await breathe();
  }
  const droppedPartitions = signal?.aborted
    ? []
    : await dropPartitions(database, monthOf(now) - keepMonths);
  return { movedRuns, madePartitions, droppedPartitions };
}
