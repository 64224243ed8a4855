import { copiedEnd } from "./copied-end.ts";
import type { Engine, EngineJobState } from "./engine/engine.ts";
import { togetherOrAlone } from "./hand-over.ts";
import type { RunStore, SilentRun } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import { isUnreachable } from "./unreachable.ts";

export interface LookTools {
  readonly store: Pick<RunStore<never>, "reclaim" | "touch" | "copyEnd">;
  readonly engine: Pick<Engine, "add" | "prioritize" | "find" | "ping">;
  readonly telemetry: RuntimeTelemetry;
}

/** What became of runs that were looked for. */
export interface Reconciled {
  /** The engine has them. */
  readonly seen: number;
  /** It had them no more. */
  readonly readded: number;
  /** They had ended there. */
  readonly copied: number;
}

/** Jobs asked for at a time; an emptied engine has thousands to be asked for. */
const LANES = 20;

/**
 * Look for runs in the engine: what it has is touched, what ended there is copied, what it lost is added
 * again under the same id, in one call.
 *
 * One run that cannot be read, copied or added keeps no other from being looked for; it is left as it is.
 *
 * @throws if the engine is away: the pass is to be made again
 */
export async function lookFor(runs: readonly SilentRun[], tools: LookTools): Promise<Reconciled> {
  const { store, engine } = tools;
  const alive: string[] = [];
  const absent: SilentRun[] = [];
  let copied = 0;
  const look = (run: SilentRun) =>
    orLeave(run, tools, async () => {
      const job = await engine.find(run.queue, run.engineJobId);
      if (job === undefined) absent.push(run);
      else if (await isCopied(run, job, store)) copied += 1;
      else alive.push(run.id);
    });
  for (let from = 0; from < runs.length; from += LANES)
    await Promise.all(runs.slice(from, from + LANES).map(look));

  await store.touch(alive);
  // Whoever wins the compare-and-set adds it; the id is the same, so even two adds make one job.
  const won = new Set(await store.reclaim(absent));
  const lost = absent.filter(({ id }) => won.has(id));
  let readded = 0;
  for (const [queue, batch] of Map.groupBy(lost, (run) => run.queue))
    readded += (await togetherOrAlone(tools, queue, batch)).length;
  return { seen: alive.length, readded, copied };
}

async function isCopied(
  run: SilentRun,
  job: EngineJobState,
  store: LookTools["store"],
): Promise<boolean> {
  const end = copiedEnd(run.id, job);
  if (end !== undefined) await store.copyEnd(end);
  return end !== undefined;
}

async function orLeave(
  run: SilentRun,
  { engine, telemetry }: LookTools,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isUnreachable(error)) throw error;
    await engine.ping(); // throws if it is away
    telemetry.log.error({ err: error, runId: run.id }, "run not reconciled");
  }
}
