import { findContract, type QueueDefinition, queueDefinitions } from "@ballast/contracts";
import { begin } from "./begin.ts";
import type { Engine, EngineDeath, FailedJob } from "./engine/engine.ts";
import { reasonOf } from "./engine-reason.ts";
import { isUuid, unfitId } from "./identity.ts";
import type { FailedVerdict, RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import { isUnreachable } from "./unreachable.ts";

export interface FailedSweepOptions {
  readonly engine: Pick<Engine, "failed" | "findFailed" | "removeListed" | "ping">;
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
      const jobs = page.jobs.filter(({ finishedAt }) => finishedAt.getTime() <= before);
      done.seen += jobs.length;
      const settled: FailedJob[] = [];
      const judge = await judgeOf(queue, jobs, options);
      for (const job of jobs) {
        const { verdict, runId } = judge(job);
        if (verdict === "settled") settled.push(job);
        if (verdict !== "unended" && verdict !== "unknown") continue;
        const did = await writeDown(queue, job, runId, options);
        if (did !== undefined) done[did] += 1;
      }
      if (settled.length > 0)
        done.removed += await options.engine.removeListed(queue.name, settled);
    } while (cursor !== undefined);
  }
  return done;
}

const UNKNOWN = { verdict: "unknown", runId: null } as const;

/**
 * What the journal says of each of these jobs. One that it does not know by when it was added, it may know by its
 * id alone: as a request's, or since before it knew any such job by the time as well.
 */
async function judgeOf(
  { name }: QueueDefinition,
  jobs: readonly FailedJob[],
  { store }: Pick<FailedSweepOptions, "store">,
): Promise<(job: FailedJob) => Pick<FailedVerdict, "verdict" | "runId">> {
  const ids = jobs.flatMap(({ engineJobId, id }) =>
    engineJobId === id || unfitId(id) !== undefined ? [engineJobId] : [engineJobId, id],
  );
  const known = new Map<string, FailedVerdict>();
  for (const found of await store.judgeFailed(name, ids))
    if (found.verdict !== "unknown") known.set(found.engineJobId, found);
  return ({ engineJobId, id, createdAt }) => {
    const exact = known.get(engineJobId);
    if (exact !== undefined) return exact;
    const byId = known.get(id);
    const isIt = isUuid(id) || byId?.createdAt?.getTime() === createdAt.getTime();
    return byId !== undefined && isIt ? byId : UNKNOWN;
  };
}

/** One death that cannot be read or written must not keep the others from being found. */
async function writeDown(
  queue: QueueDefinition,
  job: FailedJob,
  runId: string | null,
  options: FailedSweepOptions,
): Promise<"copied" | "adopted" | undefined> {
  try {
    const death = await options.engine.findFailed(queue.name, job);
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
      { err: error, queue: queue.name, engineJobId: job.engineJobId },
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
