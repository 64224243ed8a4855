import { randomUUID } from "node:crypto";
import { copiedEnd } from "./copied-end.ts";
import { handOver } from "./dispatcher.ts";
import type { Engine } from "./engine/engine.ts";
import type { RunStore, SilentRun } from "./store.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";
import { isUnreachable } from "./unreachable.ts";

export interface ReconcilerOptions {
  readonly store: Pick<
    RunStore<never>,
    | "silent"
    | "reclaim"
    | "touch"
    | "copyEnd"
    | "readMark"
    | "writeMark"
    | "queueOrders"
    | "orderTold"
  >;
  readonly engine: Pick<Engine, "add" | "find" | "ping" | "readEpoch" | "writeEpoch" | "setPaused">;
  readonly telemetry: RuntimeTelemetry;
  /** Silence after which a run is looked for. */
  readonly silentMs?: number;
  readonly everyMs?: number;
}

export interface Reconciled {
  readonly seen: number;
  readonly readded: number;
  readonly copied: number;
}

const DEFAULTS = { silentMs: 60_000, everyMs: 15_000 };
const PAGE = 200;
const EPOCH_MARK = "engine_epoch";

/** Compare what PostgreSQL handed over with what the engine has, for ever; any number of replicas may. */
export function startReconciler(options: ReconcilerOptions): AsyncDisposable {
  const log = options.telemetry.log.child({ part: "reconciler" });
  const everyMs = options.everyMs ?? DEFAULTS.everyMs;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let failing = false;
  const round = async (): Promise<void> => {
    try {
      const done = await reconcile(options);
      if (done.readded + done.copied > 0) log.warn(done, "runs reconciled");
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, "cannot reconcile now; will retry");
      failing = true;
    }
    if (!closed)
      timer = setTimeout(() => {
        current = round();
      }, everyMs);
  };
  let current = round();
  return {
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await current;
      clearTimeout(timer);
    },
  };
}

/** One pass over the runs that went silent; over all of them if the engine was wiped. */
export async function reconcile(options: ReconcilerOptions): Promise<Reconciled> {
  const { store, engine } = options;
  const epoch = await engine.readEpoch();
  await tellOrders(options); // before anything is added again to a queue that is to stand still
  const wiped = epoch === null || epoch !== (await store.readMark(EPOCH_MARK));
  const patienceMs = options.silentMs ?? DEFAULTS.silentMs;
  const began = Date.now();
  const done = { seen: 0, readded: 0, copied: 0 };
  const passed = new Set<string>();
  let left = 0;

  for (;;) {
    // After a wipe: all that were not touched since this pass began.
    const silentMs = wiped ? Date.now() - began : patienceMs;
    const found = await store.silent(silentMs, PAGE + left);
    const page = found.filter(({ id }) => !passed.has(id));
    for (const run of page) {
      passed.add(run.id);
      // A wiped engine took its job from under a worker, which goes on; it is looked for when silent.
      const isAlive = run.running && began - run.touchedAt.getTime() < patienceMs;
      const did = wiped && isAlive ? undefined : await lookOrLeave(run, options);
      if (did === undefined) left += 1;
      else done[did] += 1;
    }
    if (page.length === 0 || found.length < PAGE) break;
  }
  if (wiped) {
    // Written last: a pass that was cut short must be made again.
    const next = epoch ?? randomUUID();
    await engine.writeEpoch(next);
    await store.writeMark(EPOCH_MARK, next);
  }
  return done;
}

/** Pauses and resumptions that the engine missed or has forgotten. */
async function tellOrders({
  store,
  engine,
}: Pick<ReconcilerOptions, "store" | "engine">): Promise<void> {
  for (const order of await store.queueOrders()) {
    await engine.setPaused(order.queue, order.paused);
    await store.orderTold(order);
  }
}

/** One run that cannot be read or added must not keep the others from being looked for. */
async function lookOrLeave(
  run: SilentRun,
  options: ReconcilerOptions,
): Promise<keyof Reconciled | undefined> {
  try {
    return await look(run, options);
  } catch (error) {
    if (isUnreachable(error)) throw error; // ends the pass, which is made again
    await options.engine.ping(); // throws if it is away
    options.telemetry.log.error({ err: error, runId: run.id }, "run not reconciled");
    return undefined;
  }
}

async function look(
  run: SilentRun,
  { store, engine }: ReconcilerOptions,
): Promise<keyof Reconciled> {
  const job = await engine.find(run.queue, run.engineJobId);
  if (job === undefined) {
    // Whoever wins the compare-and-set adds it; the id is the same, so even two adds make one job.
    if (await store.reclaim(run.id, run.touchedAt)) await handOver(engine, run.queue, [run]);
    return "readded";
  }
  const end = copiedEnd(run.id, job);
  if (end !== undefined) {
    await store.copyEnd(end);
    return "copied";
  }
  await store.touch([run.id]);
  return "seen";
}
