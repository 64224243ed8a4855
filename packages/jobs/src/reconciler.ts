import { randomUUID } from "node:crypto";
import type { Engine } from "./engine/engine.ts";
import { startRounds } from "./rounds.ts";
import { type LookTools, lookFor, type Reconciled } from "./silent-runs.ts";
import type { RunStore, SilentRun } from "./store.ts";

export interface ReconcilerOptions extends LookTools {
  readonly store: LookTools["store"] &
    Pick<RunStore<never>, "silent" | "readMark" | "writeMark" | "queueOrders" | "orderTold">;
  readonly engine: LookTools["engine"] & Pick<Engine, "readEpoch" | "writeEpoch" | "setPaused">;
  /** Silence after which a run is looked for. */
  readonly silentMs?: number;
  readonly everyMs?: number;
  /** While it says so nothing is compared, nor put into the engine. */
  readonly mustWait?: () => boolean;
}

const DEFAULTS = { silentMs: 60_000, everyMs: 15_000 };
const WAIT_MS = 1_000;
const PAGE = 200;
const EPOCH_MARK = "engine_epoch";

/** Compare what PostgreSQL handed over with what the engine has, for ever; any number of replicas may. */
export function startReconciler(options: ReconcilerOptions): AsyncDisposable {
  const log = options.telemetry.log.child({ part: "reconciler" });
  return startRounds({
    what: "reconcile",
    everyMs: options.everyMs ?? DEFAULTS.everyMs,
    log,
    async round() {
      if (options.mustWait?.()) return WAIT_MS;
      const done = await reconcile(options);
      if (done.readded + done.copied > 0) log.warn(done, "runs reconciled");
    },
  });
}

/** One pass over the runs that went silent; over all of them if the engine was wiped. */
export async function reconcile(options: ReconcilerOptions): Promise<Reconciled> {
  const { store, engine } = options;
  const epoch = await engine.readEpoch();
  await tellOrders(options); // before anything is added again to a queue that is to stand still
  const wiped = epoch === null || epoch !== (await store.readMark(EPOCH_MARK));
  const patienceMs = options.silentMs ?? DEFAULTS.silentMs;
  const began = Date.now();
  // A wiped engine took its job from under a worker, which goes on; it is looked for when silent.
  const isLeft = (run: SilentRun) => wiped && run.running && run.silentMs < patienceMs;
  const done = { seen: 0, readded: 0, copied: 0 };
  const passed = new Set<string>();
  let left = 0;

  for (;;) {
    // After a wipe: all that were not touched since this pass began.
    const silentMs = wiped ? Date.now() - began : patienceMs;
    // Those that were left as they are come first again.
    const found = await store.silent(silentMs, PAGE + left);
    const page = found.filter(({ id }) => !passed.has(id));
    const looked = await lookFor(
      page.filter((run) => !isLeft(run)),
      options,
    );
    left += page.length;
    for (const what of ["seen", "readded", "copied"] as const) {
      done[what] += looked[what];
      left -= looked[what];
    }
    for (const { id } of page) passed.add(id);
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
