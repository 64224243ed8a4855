import { type BulkTurns, bulkTurns, isBulk } from "./bulk-turns.ts";
import type { Engine, EngineJob } from "./engine/engine.ts";
import { handOverSpan } from "./spans.ts";
import type { ClaimedRun, RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import type { Tracer } from "./tracing.ts";
import { isUnreachable } from "./unreachable.ts";

export interface Dispatcher extends AsyncDisposable {
  /** Look for committed runs now rather than at the next poll. Call it after the commit. */
  nudge(): void;
  /**
   * For how long whoever records runs may claim them for {@link take}, so that nobody has to look for them; `null`
   * while there are others to hand over first, or the engine takes nothing.
   */
  readonly leaseMs: number | null;
  /** Hand over runs that were claimed as they were recorded. */
  take(runs: readonly ClaimedRun[]): void;
}

export interface DispatcherOptions {
  readonly store: Pick<
    RunStore<never>,
    "claim" | "handedOver" | "unclaim" | "nextDueInMs" | "onDispatch" | "expire"
  >;
  readonly engine: Pick<Engine, "add" | "prioritize" | "ping">;
  readonly telemetry: RuntimeTelemetry;
  /** While it says so, runs stay rows: what we hand over never fills the engine. */
  readonly engineIsFull?: () => boolean;
}

const BATCH = 200;
/** A dispatcher that dies with claimed runs delays them by this much. */
const CLAIM_MS = 10_000;
/** State is the truth and notifications a fast path, so state is asked this often. */
const POLL_MS = 1_000;
/** Pauses while the engine or PostgreSQL is away; a failover is over in seconds, and a try costs two statements. */
const RETRY_MS = { first: 250, cap: 1_000 };

/**
 * Hand committed runs over to the engine. Runs in every API replica at once: a claim keeps two from
 * taking the same run, and the run's id as the engine's id makes a second handing over harmless.
 */
export async function startDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const { store, telemetry } = options;
  const log = telemetry.log.child({ part: "dispatcher" });
  const turns = bulkTurns();
  const closing = new AbortController();
  let awake = new AbortController();
  let nudged = true;
  let isBehind = true;
  let failures = 0;
  let lookedAt = 0;
  let expiredAt = 0;
  const taken: ClaimedRun[] = [];
  const engineIsFull = () => options.engineIsFull?.() ?? false;

  const wake = () => awake.abort("nudged"); // without a reason each would make an error, with its stack
  const nudge = () => {
    nudged = true;
    wake();
  };
  const untilNudged = async () => {
    const due = await store.nextDueInMs();
    awake = new AbortController();
    if (nudged || taken.length > 0 || closing.signal.aborted) return;
    // What is due already waits for an engine that is full, or for another dispatcher.
    const untilDue = engineIsFull() ? POLL_MS : (due ?? POLL_MS);
    await pause(Math.max(1, Math.min(POLL_MS, untilDue)), awake.signal);
  };

  /** Hand over what was taken, and what there is else unless that can wait. */
  const round = async () => {
    const given = taken.splice(0, BATCH);
    if (given.length > 0) await handOverAll(options, turns, given);
    if (given.length > 0 && !nudged && !isBehind && Date.now() - lookedAt < POLL_MS) return;
    nudged = false;
    lookedAt = Date.now();
    if (engineIsFull()) isBehind = false;
    else {
      const found = await store.claim(BATCH, CLAIM_MS, turns.owed());
      await handOverAll(options, turns, found);
      isBehind = found.length === BATCH;
    }
  };

  const loop = async () => {
    while (!closing.signal.aborted) {
      try {
        await round();
        if (failures > 0) log.info({ failures }, "handing over again");
        failures = 0;
        // By the clock: under load there is always more to hand over.
        if (Date.now() - expiredAt >= POLL_MS) {
          expiredAt = Date.now();
          await store.expire(BATCH);
        }
        if (!isBehind && !nudged && taken.length === 0) await untilNudged();
      } catch (error) {
        failures += 1;
        if (failures === 1)
          log.warn({ err: error }, "cannot hand runs over; they stay recorded and wait");
        // A nudge must not turn an outage into a busy loop.
        await pause(
          Math.min(RETRY_MS.cap, RETRY_MS.first * 2 ** Math.min(failures - 1, 10)),
          closing.signal,
        );
      }
    }
    // Another may take them at once. Were PostgreSQL away: their claims lapse.
    await store.unclaim(taken.map(({ id }) => id)).catch(() => {});
  };

  const listening = await store.onDispatch(nudge);
  const looping = loop();
  return {
    nudge,
    get leaseMs() {
      const isIdle = failures === 0 && !isBehind && taken.length < BATCH && !closing.signal.aborted;
      return isIdle && !engineIsFull() ? CLAIM_MS : null;
    },
    take(runs) {
      taken.push(...runs);
      if (runs.length > 0) wake();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      nudge();
      await looping;
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** Hand over claimed runs. @throws if some of them, or all, could not be */
async function handOverAll(
  options: DispatcherOptions,
  turns: BulkTurns,
  runs: readonly ClaimedRun[],
): Promise<void> {
  const { store, telemetry } = options;
  const failures: unknown[] = [];
  let handedCount = 0;
  for (const [queue, claimed] of Map.groupBy(runs, (run) => run.queue)) {
    const batch = turns.take(queue, claimed);
    try {
      const handed = await togetherOrAlone(options, queue, batch);
      if (handed.length === 0) continue;
      await store.handedOver(handed);
      handedCount += handed.length;
      telemetry.jobs.dispatched(queue, handed.length, longestWaitSeconds(handed));
      if (telemetry.tracer) traceHandOver(handed, telemetry.tracer);
    } catch (error) {
      failures.push(error);
      // Were PostgreSQL away too: the claim lapses by itself.
      await store.unclaim(batch.map(({ id }) => id)).catch(() => {});
    }
  }
  if (failures.length > 0) throw failures[0];
  // An engine that is full answers and takes nothing: no reason to press it.
  if (handedCount === 0 && runs.length > 0)
    throw new Error(`the engine refused all of ${runs.length} runs`);
}

/** A span for each that belongs to a trace and came to the engine by this. */
function traceHandOver(handed: readonly ClaimedRun[], tracer: Tracer): void {
  for (const run of handed)
    if (run.traceparent !== null && !run.inEngine) tracer.begin(handOverSpan(run)).end();
}

/** How late the latest is; bulk work, and what was handed over before, is late for nobody. */
function longestWaitSeconds(handed: readonly ClaimedRun[]): number {
  const since = handed
    .filter((run) => !run.inEngine && !isBulk(run))
    .map((run) => (run.dueAt ?? run.createdAt).getTime());
  return Math.max(0, Date.now() - Math.min(Date.now(), ...since)) / 1_000;
}

/**
 * Hand a batch over in one call. If an engine that is well refuses it, each run goes alone, so that
 * the one it cannot take fails no neighbour; that one is tried again when its claim has lapsed.
 *
 * @returns those that were taken
 * @throws if the engine is away
 */
export async function togetherOrAlone(
  {
    engine,
    telemetry,
  }: Pick<DispatcherOptions, "telemetry"> & {
    readonly engine: Pick<Engine, "add" | "prioritize" | "ping">;
  },
  queue: string,
  batch: readonly ClaimedRun[],
): Promise<readonly ClaimedRun[]> {
  try {
    await handOver(engine, queue, batch);
    return batch;
  } catch (error) {
    if (isUnreachable(error)) throw error;
    await engine.ping();
  }
  const handed: ClaimedRun[] = [];
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

/** Resolves after `ms`, or at once when `signal` aborts; leaves neither timer nor listener behind. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener("abort", done);
  });
