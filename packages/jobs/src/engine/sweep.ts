import type { QueuePolicy } from "@ballast/contracts";
import type { Queue } from "bullmq";

interface SweepOptions {
  /** Jobs removed in one call. */
  readonly batchCount?: number;
  /** Jobs too many are left this long all the same, since the reconciler may have to copy their ends. */
  readonly leftMs?: number;
}

/** Remove completed jobs that are too old, and the oldest of those that are too many. */
export async function removeOldCompleted(
  queue: Queue,
  kept: QueuePolicy["completedKept"],
  { batchCount = 1_000, leftMs = 120_000 }: SweepOptions = {},
): Promise<void> {
  for (;;) {
    const removed = await queue.clean(kept.ageSeconds * 1_000, batchCount, "completed");
    if (removed.length < batchCount) break;
  }
  for (;;) {
    const excess = (await queue.getCompletedCount()) - kept.count;
    if (excess <= 0) break;
    const removed = await queue.clean(leftMs, Math.min(excess, batchCount), "completed");
    if (removed.length === 0) break;
  }
}
