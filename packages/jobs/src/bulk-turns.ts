import { BULK_PRIORITY } from "@ballast/contracts";
import type { ClaimedRun } from "./store.ts";

/** Of a queue's hand-overs one in this many is bulk while both wait. */
const EVERY = 5;
/** What a bulk run is handed over with when it is its turn: among the most urgent. */
const MOST_URGENT = 0;

export const isBulk = ({ priority }: Pick<ClaimedRun, "priority">): boolean =>
  priority >= BULK_PRIORITY;

export interface FoundRun extends ClaimedRun {
  /** It is bulk work, and goes with another priority than its own since its turn has come. */
  readonly hasTurn?: true;
}

/** Sees to it that urgent work of a queue, however much there is, never starves its bulk work. */
export interface BulkTurns {
  /** Bulk runs of each queue whose turn has come. */
  owed(): Record<string, number>;
  /** Count urgent runs for which nobody looked, and so for no bulk work either. */
  passed(runs: readonly ClaimedRun[]): void;
  /**
   * Count what a look has found.
   *
   * @returns the same runs, each with the priority that the engine is to have it with
   */
  take(found: readonly ClaimedRun[]): FoundRun[];
}

export function bulkTurns(): BulkTurns {
  /** Urgent runs of a queue that went before a bulk one had its turn. */
  const ahead = new Map<string, number>();
  const turnsOf = (count: number) => Math.floor(count / (EVERY - 1));

  /** @returns the bulk runs of a queue whose turn it is */
  function takeOf(queue: string, found: readonly ClaimedRun[]): readonly ClaimedRun[] {
    const fresh = found.filter(({ inEngine }) => !inEngine);
    const waiting = fresh.filter(isBulk);
    const before = ahead.get(queue) ?? 0;
    const turns = waiting.slice(0, turnsOf(before));
    const after = before + (fresh.length - waiting.length) - turns.length * (EVERY - 1);
    // Turns that no bulk work was there to take are not saved up.
    ahead.set(
      queue,
      Math.max(0, turns.length < turnsOf(before) ? Math.min(after, EVERY - 1) : after),
    );
    return turns;
  }

  return {
    owed: () => Object.fromEntries([...ahead].map(([queue, count]) => [queue, turnsOf(count)])),
    passed(runs) {
      for (const { queue } of runs) ahead.set(queue, (ahead.get(queue) ?? 0) + 1);
    },
    take(found) {
      const byQueue = Map.groupBy(found, ({ queue }) => queue);
      const queues = new Set([...ahead.keys(), ...byQueue.keys()]);
      const inTurn = new Set(
        [...queues].flatMap((queue) => takeOf(queue, byQueue.get(queue) ?? [])),
      );
      return found.map((run) =>
        inTurn.has(run) ? { ...run, priority: MOST_URGENT, hasTurn: true } : run,
      );
    },
  };
}
