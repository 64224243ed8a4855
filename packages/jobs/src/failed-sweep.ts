import { findContract, type QueueDefinition, queueDefinitions } from "@ballast/contracts";
import { begin } from "./begin.ts";
import type { Engine, EngineDeath } from "./engine/engine.ts";
import { reasonOf } from "./engine-reason.ts";
import type { RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import { isUnreachable } from "./unreachable.ts";

export interface FailedSweepOptions {
  readonly engine: Pick<Engine, "failed" | "findFailed" | "removeFailed" | "ping">;
  readonly store: Pick<RunStore<never>, "judgeFailed" | "start" | "adopt" | "ended" | "copyEnd">;
  readonly telemetry: Pick<RuntimeTelemetry, "log">;
  /** Default: every queue of the contracts. */
  readonly queues?: readonly QueueDefinition[];
  /** Age from which a failure is looked at: whoever failed the job is about to write it down. */
  readonly graceMs?: number;
}

export interface Swept {
  /** Failed jobs that were looked at. */
  readonly seen: number;
  /** Deaths of runs that went on in the journal. */
  readonly copied: number;
  /** Deaths of jobs that the journal never heard of. */
  readonly adopted: number;
  /** Failed jobs that nobody is to decide about any more, taken out of the engine. */
  readonly removed: number;
}

const PAGE = 500;
const GRACE_MS = 10_000;
/** Named as the worker of an attempt that nobody saw. */
const NOBODY = "sweep";

/**
 * Find the deaths that nobody wrote down: the worker was killed between failing a job and parking it, or
 * the engine ended the job by itself. Ending its run parks it.
 *
 * A failed job that is parked is known by its id and not read again, so thousands that wait for triage
 * cost a page of ids each pass. Safe in any number of processes at once.
 */
export async function sweepFailed(options: FailedSweepOptions): Promise<Swept> {
  const done = { seen: 0, copied: 0, adopted: 0, removed: 0 };
  for (const queue of options.queues ?? queueDefinitions) {
    let cursor: string | undefined;
    do {
      const page = await options.engine.failed(queue.name, { limit: PAGE, cursor });
      cursor = page.cursor;
      const before = Date.now() - (options.graceMs ?? GRACE_MS);
      const ids = page.jobs
        .filter(({ finishedAt }) => finishedAt.getTime() <= before)
        .map(({ engineJobId }) => engineJobId);
      done.seen += ids.length;
      const settled: string[] = [];
      for (const { engineJobId, verdict, runId } of await options.store.judgeFailed(
        queue.name,
        ids,
      )) {
        if (verdict === "settled") settled.push(engineJobId);
        if (verdict !== "unended" && verdict !== "unknown") continue;
        const did = await writeDown(queue, engineJobId, runId, options);
        if (did !== undefined) done[did] += 1;
      }
      if (settled.length > 0)
        done.removed += (await options.engine.removeFailed(queue.name, settled)).length;
    } while (cursor !== undefined);
  }
  return done;
}

/** One death that cannot be read or written must not keep the others from being found. */
async function writeDown(
  queue: QueueDefinition,
  engineJobId: string,
  runId: string | null,
  options: FailedSweepOptions,
): Promise<"copied" | "adopted" | undefined> {
  try {
    const death = await options.engine.findFailed(queue.name, engineJobId);
    if (death === undefined) return undefined; // triaged, or retried by hand, meanwhile
    if (runId === null) return (await adoptDead(queue, death, options)) ? "adopted" : undefined;
    await options.store.copyEnd({
      runId,
      state: "dead",
      result: null,
      ...reasonOf(death.reason),
      endedAt: death.finishedAt,
    });
    return "copied";
  } catch (error) {
    if (isUnreachable(error)) throw error; // ends the pass, which is made again
    await options.engine.ping(); // throws if it is away
    options.telemetry.log.error(
      { err: error, queue: queue.name, engineJobId },
      "a death could not be written down; will retry",
    );
    return undefined;
  }
}

/** Take in a job that died before it was ever written down, and end it. A slot is of no use to the dead. */
async function adoptDead(
  queue: QueueDefinition,
  { delivery, reason, finishedAt }: EngineDeath,
  { store }: FailedSweepOptions,
): Promise<boolean> {
  const contract = findContract(queue.name, delivery.name);
  // As if alone: it is over, and needs no quarantine.
  const { start, started } = await begin(
    delivery,
    {
      queue,
      worker: NOBODY,
      handlers: new Map(
        contract === undefined ? [] : [[contract.name, { contract, run: async () => undefined }]],
      ),
      start: async (one) => (await store.start([one]))[0] ?? { kind: "unknown" },
      adopt: (adoption) => store.adopt({ ...adoption, slot: null }),
    },
    true,
  );
  if (started.kind !== "go") return false;
  const { code, message } = reasonOf(reason);
  await store.ended([
    {
      attemptId: start.attemptId,
      runId: started.run.id,
      outcome: "dead",
      startedAt: finishedAt,
      endedAt: finishedAt,
      worker: NOBODY,
      result: null,
      code: code ?? "ended_in_engine",
      message,
      stack: null,
      nextAttemptAt: null,
    },
  ]);
  return true;
}
