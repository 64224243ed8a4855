import type { Engine, EngineJobState } from "./engine/engine.ts";
import { reasonOf } from "./engine-reason.ts";
import type { ClaimedRun, CopiedEnd, RunStore } from "./store.ts";

/** The journal follows the engine within half a second; an end older than this was lost on the way. */
const OVERDUE_MS = 3_000;

/**
 * Copy the end of a run that its worker did not live to write down, as soon as somebody looks at it; the
 * reconciler would find it after a minute of silence.
 *
 * Harmless at any time: a run that is over is left as it is, and a report that comes late after all is believed.
 *
 * @returns whether there was one to copy
 */
export async function healEnd(
  run: Pick<ClaimedRun, "id" | "queue" | "engineJobId">,
  {
    engine,
    store,
  }: { readonly engine: Pick<Engine, "find">; readonly store: Pick<RunStore<never>, "copyEnd"> },
): Promise<boolean> {
  const job = await engine.find(run.queue, run.engineJobId);
  const end = job && copiedEnd(run.id, job);
  if (end === undefined || Date.now() - end.endedAt.getTime() < OVERDUE_MS) return false;
  await store.copyEnd(end);
  return true;
}

/** What the engine keeps of a run's end; `undefined` if it has not ended there. */
export function copiedEnd(runId: string, job: EngineJobState): CopiedEnd | undefined {
  if (job.state !== "completed" && job.state !== "failed") return undefined;
  return {
    runId,
    state: stateOf(job.state, job.result),
    result: job.state === "completed" ? job.result : null,
    ...reasonOf(job.failedReason),
    endedAt: job.finishedAt ?? new Date(),
  };
}

const stateOf = (state: "completed" | "failed", result: unknown) => {
  if (state === "failed") return "dead";
  const cancelled =
    typeof result === "object" &&
    result !== null &&
    "outcome" in result &&
    result.outcome === "cancelled";
  return cancelled ? "cancelled" : "completed";
};
