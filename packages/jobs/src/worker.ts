import { hostname } from "node:os";
import type { QueueDefinition } from "@ballast/contracts";
import { type AttemptTools, type EndedAttempt, runAttempt } from "./attempt.ts";
import { coalesce } from "./coalesce.ts";
import type { Consumer, Delivery, Engine } from "./engine/engine.ts";
import type { Handler } from "./handler.ts";
import { openJournal } from "./journal.ts";
import { Running } from "./running.ts";
import type { RunStore } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";

export interface WorkerOptions {
  readonly queue: QueueDefinition;
  readonly handlers: readonly Handler[];
  readonly engine: Engine;
  readonly store: RunStore<never>;
  readonly telemetry: RuntimeTelemetry;
  /** Attempts at a time; the queue's own number if absent. */
  readonly concurrency?: number;
}

/** Starts written in one statement. */
const MAX_STARTS = 200;
/** After the grace period: time for outcomes to reach the engine. */
const LAST_WORDS_MS = 2_000;

/** Work on a queue until the process is told to stop, then hand back what is running. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  await using _worker = await startWorker(options);
  await aborted(options.telemetry.stopping);
}

/** Start working on a queue; disposing it drains (law: an attempt handed back is not counted). */
export async function startWorker(options: WorkerOptions): Promise<AsyncDisposable> {
  const { queue, engine, store, telemetry } = options;
  const log = telemetry.log.child({ queue: queue.name });
  const worker = `${hostname()}:${process.pid}`;
  const journal = openJournal(store, log);
  const running = new Running(store, log);
  const tools: AttemptTools = {
    queue,
    handlers: byName(queue, options.handlers),
    start: coalesce((starts) => store.start(starts), MAX_STARTS),
    adopt: (adoption) => store.adopt(adoption),
    journal,
    running,
    worker,
    log,
  };
  const ended = new WeakMap<Delivery, EndedAttempt>();
  let draining = false;

  const consumer = await engine.consume({
    queue,
    worker,
    log,
    concurrency: options.concurrency ?? queue.concurrency,
    async attempt(delivery) {
      // BullMQ may take one more job after it was told to stop.
      if (draining) return { kind: "interrupted", reason: "shutdown" };
      const startedMs = Date.now();
      const attempt = await runAttempt(delivery, tools);
      ended.set(delivery, attempt);
      const { outcome, end } = attempt;
      if (end !== undefined) {
        telemetry.jobs.attemptEnded({
          queue: queue.name,
          job: tools.handlers.has(delivery.name) ? delivery.name : "unknown",
          outcome: outcome.kind,
          ...(end.code === null ? {} : { code: end.code }),
          durationSeconds: (Date.now() - startedMs) / 1_000,
          waitSeconds: Math.max(0, startedMs - delivery.readyAt.getTime()) / 1_000,
        });
        report(log, delivery, attempt);
      }
      return outcome;
    },
    told(delivery) {
      const end = ended.get(delivery)?.end;
      // Only the success of a run that blocks nobody may wait for its batch.
      if (end !== undefined)
        journal.ended(end, end.outcome !== "completed" || blocks(tools, delivery));
    },
    lockLost: (engineJobId) => running.lockLost(engineJobId),
    stalled(engineJobId) {
      telemetry.jobs.stalled(queue.name);
      log.warn({ engineJobId }, "job stalled: its worker died or was blocked; it runs again");
    },
  });
  log.info({ worker, jobs: [...tools.handlers.keys()] }, "worker started");

  return {
    async [Symbol.asyncDispose]() {
      draining = true;
      await drain(consumer, running, queue);
      running[Symbol.dispose]();
      await journal[Symbol.asyncDispose]();
      log.info({}, "worker stopped");
    },
  };
}

/** Let go of everything in time: short for work that can run again, the grace period for steps that cannot. */
async function drain(consumer: Consumer, running: Running, queue: QueueDefinition): Promise<void> {
  const closed = consumer.close();
  const handBack = setTimeout(() => running.stopAll("shutdown"), queue.handBackAfterMs);
  const cut = setTimeout(() => running.stopAll("shutdown", { hard: true }), queue.gracePeriodMs);
  let giveUp: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    giveUp = setTimeout(resolve, queue.gracePeriodMs + LAST_WORDS_MS);
  });
  await Promise.race([closed, late]);
  for (const timer of [handBack, cut, giveUp]) clearTimeout(timer);
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
  { outcome, end }: EndedAttempt,
): void {
  const values = { job: delivery.name, runId: end?.runId, outcome: outcome.kind };
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
