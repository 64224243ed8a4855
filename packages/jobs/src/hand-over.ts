import { type FoundRun, isBulk } from "./bulk-turns.ts";
import type { Engine, EngineJob } from "./engine/engine.ts";
import { handOverSpan } from "./spans.ts";
import type { ClaimedRun, RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import type { Tracer } from "./tracing.ts";
import { isUnreachable } from "./unreachable.ts";

export interface HandOverTools {
  readonly store: Pick<RunStore<never>, "handedOver" | "unclaim" | "takeBack">;
  readonly engine: Pick<Engine, "add" | "prioritize" | "ping">;
  readonly telemetry: RuntimeTelemetry;
}

/** What is written of runs, by what the engine said to them. */
interface Notes {
  took(runs: readonly ClaimedRun[]): Promise<void>;
  /** It is well, and does not take these. */
  refused(runIds: readonly string[]): Promise<void>;
  /** It is away, as far as we know. */
  unheard(runIds: readonly string[]): Promise<void>;
}

/** Of runs that a look has claimed. */
export const claimed = (store: HandOverTools["store"]): Notes => ({
  took: (runs) => store.handedOver(runs),
  // Tried again when the claim has lapsed.
  async refused() {},
  unheard: (runIds) => store.unclaim(runIds),
});

/** Of runs that were noted as handed over when they were recorded. */
export const recorded = (store: HandOverTools["store"]): Notes => ({
  async took() {},
  refused: (runIds) => store.takeBack(runIds),
  unheard: (runIds) => store.takeBack(runIds),
});

/** Hand over runs. @throws if some of them, or all, could not be */
export async function handOverAll(
  tools: HandOverTools,
  runs: readonly FoundRun[],
  notes: Notes,
): Promise<void> {
  const { telemetry } = tools;
  const failures: unknown[] = [];
  let handedCount = 0;
  for (const [queue, batch] of Map.groupBy(runs, (run) => run.queue)) {
    try {
      const handed = await togetherOrAlone(tools, queue, batch);
      const isHanded = new Set(handed.map(({ id }) => id));
      await notes.refused(idsOf(batch).filter((id) => !isHanded.has(id)));
      if (handed.length === 0) continue;
      await notes.took(handed);
      handedCount += handed.length;
      const bulkCount = handed.filter(isFreshBulk).length;
      telemetry.jobs.dispatched(queue, handed.length, longestWaitSeconds(handed), bulkCount);
      if (telemetry.tracer) traceHandOver(handed, telemetry.tracer);
    } catch (error) {
      failures.push(error);
      // Were PostgreSQL away too: claims lapse, and what the engine never got the reconciler misses there.
      await notes.unheard(idsOf(batch)).catch(() => {});
    }
  }
  if (failures.length > 0) throw failures[0];
  // An engine that is full answers and takes nothing: no reason to press it.
  if (handedCount === 0 && runs.length > 0)
    throw new Error(`the engine refused all of ${runs.length} runs`);
}

const idsOf = (runs: readonly ClaimedRun[]) => runs.map(({ id }) => id);

/** A span for each that belongs to a trace and came to the engine by this. */
function traceHandOver(handed: readonly ClaimedRun[], tracer: Tracer): void {
  for (const run of handed)
    if (run.traceparent !== null && !run.inEngine) tracer.begin(handOverSpan(run)).end();
}

const isFreshBulk = (run: FoundRun): boolean =>
  !run.inEngine && (isBulk(run) || run.hasTurn === true);

/** How late the latest is; bulk work, and what was handed over before, is late for nobody. */
function longestWaitSeconds(handed: readonly FoundRun[]): number {
  const since = handed
    .filter((run) => !run.inEngine && !isBulk(run) && !run.hasTurn)
    .map((run) => (run.dueAt ?? run.createdAt).getTime());
  return Math.max(0, Date.now() - Math.min(Date.now(), ...since)) / 1_000;
}

/**
 * Hand a batch over in one call. If an engine that is well refuses it, each run goes alone, so that
 * the one it cannot take fails no neighbour; that one is looked for again, at the latest when its claim has lapsed.
 *
 * @returns those that were taken
 * @throws if the engine is away
 */
export async function togetherOrAlone(
  { engine, telemetry }: Pick<HandOverTools, "engine" | "telemetry">,
  queue: string,
  batch: readonly FoundRun[],
): Promise<readonly FoundRun[]> {
  try {
    await handOver(engine, queue, batch);
    return batch;
  } catch (error) {
    if (isUnreachable(error)) throw error;
    await engine.ping();
  }
  const handed: FoundRun[] = [];
  for (const run of batch) {
    try {
      await handOver(engine, queue, [run]);
      handed.push(run);
    } catch (error) {
      if (isUnreachable(error)) throw error;
      telemetry.log.error({ err: error, queue, runId: run.id }, "the engine refused a run");
    }
  }
  return handed;
}

/** Add runs to the engine in one call, and let those that it has already overtake others. */
async function handOver(
  engine: Pick<Engine, "add" | "prioritize">,
  queue: string,
  runs: readonly ClaimedRun[],
): Promise<void> {
  const fresh = runs.filter(({ inEngine }) => !inEngine);
  if (fresh.length > 0) await engine.add(queue, fresh.map(engineJobOf));
  for (const { engineJobId, priority, inEngine } of runs)
    if (inEngine) await engine.prioritize(queue, engineJobId, priority);
}

function engineJobOf(run: ClaimedRun): EngineJob {
  const meta = {
    requestId: run.requestId,
    ...(run.companyId === null ? {} : { companyId: run.companyId }),
    ...(run.subject === null ? {} : { subject: run.subject }),
    ...(run.requestedBy === null ? {} : { requestedBy: run.requestedBy }),
    ...(run.traceparent === null ? {} : { traceparent: run.traceparent }),
    deadline: run.deadlineAt.toISOString(),
  };
  return {
    // The engine takes no bare number as an id of ours; one it gave itself comes back as `12@<time>`.
    id: run.engineJobId,
    name: run.job,
    data: { v: run.version, payload: run.payload, meta },
    priority: run.priority,
  };
}
