import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { QueueDefinition } from "@ballast/contracts";
import { type AttemptTools, type EndedAttempt, runAttempt } from "./attempt.ts";
import { startCanary } from "./canary.ts";
import { coalesce } from "./coalesce.ts";
import { noteCrash } from "./crash.ts";
import type { Attempted, Consumer, Delivery, Engine } from "./engine/engine.ts";
import type { Handler } from "./handler.ts";
import { startJanitor } from "./janitor.ts";
import { openJournal } from "./journal.ts";
import { Quarantine } from "./quarantine.ts";
import { Running } from "./running.ts";
import type { RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import { traceIdOf } from "./tracing.ts";
import { untilFit } from "./unfit.ts";
import { noteUnseenDeath } from "./unseen-death.ts";

export interface WorkerOptions {
  readonly queue: QueueDefinition;
  readonly handlers: readonly Handler[];
  readonly engine: Engine;
  readonly store: RunStore<never>;
  readonly telemetry: RuntimeTelemetry;
  /** Attempts at a time; the queue's own number if absent. */
  readonly concurrency?: number;
}

/** What comes after the worker was told to stop. */
const HANDED_BACK: Attempted = { outcome: { kind: "interrupted", reason: "shutdown" }, told() {} };
/** Starts written in one statement. */
const MAX_STARTS = 200;
/** After the grace period: time for outcomes to reach the engine. */
const LAST_WORDS_MS = 2_000;
/** After an error that nobody caught, of the two seconds that the process still has. */
const CRASH_HAND_BACK_MS = 1_400;
const CRASH_FLUSH_MS = 300;
const IDLE_POLL_MS = 100;

/** Work on a queue until the process is told to stop, then hand back what is running. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  await using _worker = await startWorker(options);
  await aborted(options.telemetry.stopping);
}

/** Start working on a queue; disposing it drains (law: an attempt handed back is not counted). */
export async function startWorker(options: WorkerOptions): Promise<AsyncDisposable> {
  const { queue, engine, store, telemetry } = options;
  const log = telemetry.log.child({ queue: queue.name });
  const worker = `${hostname()}:${process.pid}@${telemetry.version}`;
  const journal = openJournal(store, log);
  const running = new Running(store, queue.lockDurationMs, log);
  const fullConcurrency = options.concurrency ?? queue.concurrency;
  const quarantine = new Quarantine((isQuarantined) =>
    consumer.limit(isQuarantined ? 1 : fullConcurrency),
  );
  const tools: AttemptTools = {
    queue,
    handlers: byName(queue, options.handlers),
    start: coalesce((starts) => store.start(starts), MAX_STARTS),
    adopt: (adoption) => store.adopt(adoption),
    journal,
    running,
    quarantine,
    worker,
    log,
    tracer: telemetry.tracer,
  };
  let draining = false;
  const note = (attempt: EndedAttempt, delivery: Delivery) => {
    const { outcome, end } = attempt;
    if (end === undefined) return;
    telemetry.jobs.attemptEnded({
      queue: queue.name,
      job: tools.handlers.has(delivery.name) ? delivery.name : "unknown",
      outcome: outcome.kind,
      ...(end.code === null ? {} : { code: end.code }),
      durationSeconds: (end.endedAt.getTime() - end.startedAt.getTime()) / 1_000,
      waitSeconds: Math.max(0, end.startedAt.getTime() - delivery.readyAt.getTime()) / 1_000,
    });
    report(log, delivery, attempt);
  };
  const told = (
    { outcome, end, cannotWait = false }: EndedAttempt,
    delivery: Delivery,
    confirmed: boolean,
  ) => {
    if (outcome.kind === "interrupted" && outcome.reason === "crashed") return; // written already
    // Only the success of a run that blocks nobody may wait for its batch.
    const mayWait =
      outcome.kind === "completed" && confirmed && !cannotWait && !blocks(tools, delivery);
    if (end !== undefined) journal.ended(end, !mayWait);
  };

  if (!(await untilFit(engine, telemetry))) return { async [Symbol.asyncDispose]() {} };
  const canary = startCanary({
    queue,
    engine,
    telemetry,
    worker,
    hasRoom: () => !draining && quarantine.hasRoom && running.size < fullConcurrency,
  });
  const janitor = startJanitor({ engine, store, tools, log });
  const consumer = await engine.consume({
    queue,
    worker,
    log,
    concurrency: fullConcurrency,
    async attempt(delivery) {
      // BullMQ may take one more job after it was told to stop.
      if (draining) return HANDED_BACK;
      canary.served();
      const attempt = await runAttempt(delivery, tools);
      note(attempt, delivery);
      return { outcome: attempt.outcome, told: (confirmed) => told(attempt, delivery, confirmed) };
    },
    lockLost: (engineJobId) => running.lockLost(engineJobId),
    locksRenewed: (engineJobIds) => running.locksRenewed(engineJobIds),
    diedUnseen(delivery, reason) {
      log.error({ job: delivery.name, engineJobId: delivery.engineJobId, reason }, "run died");
      noteUnseenDeath(delivery, reason, tools).catch((error: unknown) =>
        log.warn({ err: error }, "a death is not written yet; the reconciler will copy it"),
      );
    },
    stalled(engineJobId) {
      telemetry.jobs.stalled(queue.name);
      log.warn({ engineJobId }, "job stalled: its worker died or was blocked; it runs again");
    },
    canary: () => canary.served(),
    jammed: () => janitor.nudge(),
  });
  telemetry.onFatal(async (error) => {
    draining = true;
    await noteCrash(error, { store, running, worker, log });
    await Promise.race([consumer.close(), pause(CRASH_HAND_BACK_MS)]);
    await journal.flush(CRASH_FLUSH_MS);
  });
  log.info({ worker, jobs: [...tools.handlers.keys()] }, "worker started");

  return {
    async [Symbol.asyncDispose]() {
      draining = true;
      canary[Symbol.dispose]();
      running.admitNoMore();
      await drain(consumer, running, queue);
      running[Symbol.dispose]();
      await janitor[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      log.info({}, "worker stopped");
    },
  };
}

/** Let go of everything in time: short for work that can run again, the grace period for steps that cannot. */
async function drain(consumer: Consumer, running: Running, queue: QueueDefinition): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  const after = (ms: number, act: () => void) =>
    pause(ms, undefined, { signal }).then(act, () => {});
  void after(queue.handBackAfterMs, () => running.stopAll("shutdown"));
  void after(queue.gracePeriodMs, () => running.stopAll("shutdown", { hard: true }));
  // An engine that is away never confirms; once nothing runs, there is nothing more to wait for.
  const idle = async () => {
    while (running.size > 0 && !signal.aborted) await after(IDLE_POLL_MS, () => {});
    await after(LAST_WORDS_MS, () => {});
  };
  await Promise.race([
    consumer.close(),
    idle(),
    after(queue.gracePeriodMs + LAST_WORDS_MS, () => {}),
  ]);
  ended.abort();
}

const blocks = (tools: AttemptTools, delivery: Delivery): boolean =>
  tools.handlers.get(delivery.name)?.contract.slot !== undefined;

function byName(
  queue: QueueDefinition,
  handlers: readonly Handler[],
): ReadonlyMap<string, Handler> {
  const map = new Map<string, Handler>();
  for (const handler of handlers) {
    const { name, queue: own } = handler.contract;
    if (own.name !== queue.name)
      throw new RangeError(`${name} belongs to queue ${own.name}, not to ${queue.name}`);
    if (map.has(name)) throw new RangeError(`two handlers for ${name} in queue ${queue.name}`);
    map.set(name, handler);
  }
  return map;
}

/** One line per attempt that did not simply succeed. */
function report(
  log: AttemptTools["log"],
  delivery: Delivery,
  { outcome, end, traceparent }: EndedAttempt,
): void {
  const values = {
    job: delivery.name,
    runId: end?.runId,
    traceId: traceIdOf(traceparent),
    outcome: outcome.kind,
  };
  if (outcome.kind === "completed") log.debug(values, "attempt completed");
  else if (outcome.kind === "dead" || outcome.kind === "retry" || outcome.kind === "postpone")
    log[outcome.kind === "dead" ? "error" : "warn"](
      {
        ...values,
        code: outcome.error.code,
        err: outcome.error,
        ...("delayMs" in outcome ? { delayMs: outcome.delayMs } : {}),
      },
      { dead: "run died", retry: "attempt failed", postpone: "attempt postponed" }[outcome.kind],
    );
  else log.info(values, "attempt let go");
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
