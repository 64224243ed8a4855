import { type BeginTools, begin } from "./begin.ts";
import type { Delivery } from "./engine/engine.ts";
import type { Journal } from "./journal.ts";

/**
 * Write down the death of a run that the engine ended by itself: its workers died under it, or were
 * blocked, more often than its queue allows.
 */
export async function noteUnseenDeath(
  delivery: Delivery,
  reason: string,
  tools: BeginTools & { readonly journal: Journal },
): Promise<void> {
  // As if alone: it is over, and needs no quarantine any more.
  const { start, started } = await begin(delivery, tools, true);
  if (started.kind !== "go") return; // over already, and known to be
  const now = new Date();
  tools.journal.ended(
    {
      attemptId: start.attemptId,
      runId: started.run.id,
      outcome: "dead",
      startedAt: now,
      endedAt: now,
      worker: tools.worker,
      result: null,
      code: "stalled_too_often",
      message: `${reason}: its worker died or was blocked more than ${tools.queue.maxStalledCount} times`,
      stack: null,
      nextAttemptAt: null,
    },
    true,
  );
}
