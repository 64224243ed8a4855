import type { Engine, EngineJob } from "./engine/engine.ts";
import { engineId } from "./identity.ts";
import type { ClaimedRun, RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";

export interface Dispatcher extends AsyncDisposable {
  /** Look for committed runs now rather than at the next poll. Call it after the commit. */
  nudge(): void;
}

export interface DispatcherOptions {
  readonly store: Pick<
    RunStore<never>,
    "claim" | "handedOver" | "unclaim" | "nextDueInMs" | "onDispatch" | "expire"
  >;
  readonly engine: Pick<Engine, "add">;
  readonly telemetry: RuntimeTelemetry;
}

const BATCH = 200;
/** A dispatcher that dies with claimed runs delays them by this much. */
const CLAIM_MS = 10_000;
/** State is the truth and notifications a fast path, so state is asked this often. */
const POLL_MS = 1_000;
/** Pauses while the engine or PostgreSQL is away. */
const RETRY_MS = { first: 250, cap: 5_000 };

/**
 * Hand committed runs over to the engine. Runs in every API replica at once: a claim keeps two from
 * taking the same run, and the run's id as the engine's id makes a second handing over harmless.
 */
export async function startDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const { store, telemetry } = options;
  const log = telemetry.log.child({ part: "dispatcher" });
  const closing = new AbortController();
  let wake: (() => void) | undefined;
  let nudged = true;
  let failures = 0;

  const nudge = () => {
    nudged = true;
    wake?.();
  };
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const loop = async () => {
    while (!closing.signal.aborted) {
      try {
        nudged = false;
        const more = await dispatchBatch(options);
        if (failures > 0) log.info({ failures }, "handing over again");
        failures = 0;
        if (more || nudged) continue;
        await store.expire(BATCH);
        const due = await store.nextDueInMs();
        if (!nudged && !closing.signal.aborted)
          await sleep(Math.max(1, Math.min(POLL_MS, due ?? POLL_MS)));
      } catch (error) {
        failures += 1;
        if (failures === 1)
          log.warn({ err: error }, "cannot hand runs over; they stay recorded and wait");
        const pause = Math.min(RETRY_MS.cap, RETRY_MS.first * 2 ** Math.min(failures - 1, 10));
        nudged = false;
        // A nudge must not turn an outage into a busy loop.
        await Promise.race([sleepFor(pause), untilAborted(closing.signal)]);
      }
    }
  };

  const listening = await store.onDispatch(nudge);
  const looping = loop();
  return {
    nudge,
    async [Symbol.asyncDispose]() {
      closing.abort();
      wake?.();
      await looping;
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** Hand over one batch; true if there may be more. */
async function dispatchBatch({ store, engine, telemetry }: DispatcherOptions): Promise<boolean> {
  const runs = await store.claim(BATCH, CLAIM_MS);
  const queues = Map.groupBy(runs, (run) => run.queue);
  const failed: unknown[] = [];
  for (const [queue, batch] of queues) {
    try {
      await handOver(engine, queue, batch);
      await store.handedOver(batch.map(({ id }) => id));
      const oldest = Math.min(...batch.map((run) => (run.dueAt ?? run.createdAt).getTime()));
      telemetry.jobs.dispatched(queue, batch.length, Math.max(0, Date.now() - oldest) / 1_000);
    } catch (error) {
      failed.push(error);
      await store.unclaim(batch.map(({ id }) => id));
    }
  }
  if (failed.length > 0) throw failed[0];
  return runs.length === BATCH;
}

/** Add runs to the engine in one call. */
export const handOver = (
  engine: Pick<Engine, "add">,
  queue: string,
  runs: readonly ClaimedRun[],
): Promise<void> => engine.add(queue, runs.map(engineJobOf));

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
    id: engineId(run.engineJobId),
    name: run.job,
    data: { v: run.version, payload: run.payload, meta },
    priority: run.priority,
    attempts: Number.MAX_SAFE_INTEGER,
  };
}

const sleepFor = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
