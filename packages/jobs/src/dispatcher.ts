import { bulkTurns, isBulk } from "./bulk-turns.ts";
import { claimed, type HandOverTools, handOverAll, recorded } from "./hand-over.ts";
import type { ClaimedRun, RunStore } from "./store.ts";

export interface Dispatcher extends AsyncDisposable {
  /** Look for committed runs now rather than at the next poll. Call it after the commit. */
  nudge(): void;
  /**
   * Whether runs may be noted as handed over as they are recorded, and given to {@link take}, so that nobody has to
   * look for them; not while there are others to hand over first, or the engine takes nothing.
   */
  readonly takes: boolean;
  /** Hand over runs that were recorded so. */
  take(runs: readonly ClaimedRun[]): void;
}

export interface DispatcherOptions extends HandOverTools {
  readonly store: HandOverTools["store"] &
    Pick<RunStore<never>, "claim" | "nextDueInMs" | "onDispatch" | "expire">;
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
  /** There may be more to look for than was found. */
  let isBehind = true;
  let failures = 0;
  /** Whatever is taken meanwhile; sooner, where it is known that something falls due. */
  let lookBy = 0;
  let isDueKnown = false;
  let bulkSeenAt = Number.NEGATIVE_INFINITY;
  let expiredAt = 0;
  const taken: ClaimedRun[] = [];
  const engineIsFull = () => options.engineIsFull?.() ?? false;

  const wake = () => awake.abort("nudged"); // without a reason each would make an error, with its stack
  const nudge = () => {
    nudged = true;
    wake();
  };
  const untilNudged = async () => {
    // What is due already waits for an engine that is full, or for another dispatcher.
    if (!isDueKnown && !engineIsFull()) {
      const due = await store.nextDueInMs();
      if (due !== null) lookBy = Math.min(lookBy, Date.now() + due);
      isDueKnown = true;
    }
    awake = new AbortController();
    if (nudged || taken.length > 0 || closing.signal.aborted) return;
    await pause(Math.max(1, lookBy - Date.now()), awake.signal);
  };

  const look = async () => {
    nudged = false;
    lookBy = Date.now() + POLL_MS;
    isDueKnown = false;
    isBehind = true; // until it is known
    if (engineIsFull()) return;
    const found = turns.take(await store.claim(BATCH, CLAIM_MS, turns.owed()));
    if (found.some((run) => isBulk(run) || run.hasTurn)) bulkSeenAt = Date.now();
    await handOverAll(options, found, claimed(store));
    isBehind = found.length >= BATCH;
  };
  /** Hand over what was taken, and what there is else unless that can wait: bulk work has its turns among what is taken. */
  const round = async () => {
    const given = taken.splice(0, BATCH);
    turns.passed(given);
    await handOverAll(options, given, recorded(store));
    const isBulkWaiting = Date.now() - bulkSeenAt < POLL_MS;
    if (given.length === 0 || nudged || isBehind || isBulkWaiting || Date.now() >= lookBy)
      await look();
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
        const hasMore = isBehind && !engineIsFull();
        if (!hasMore && !nudged && taken.length === 0) await untilNudged();
      } catch (error) {
        failures += 1;
        isBehind = true;
        if (failures === 1)
          log.warn({ err: error }, "cannot hand runs over; they stay recorded and wait");
        // A nudge must not turn an outage into a busy loop.
        await pause(
          Math.min(RETRY_MS.cap, RETRY_MS.first * 2 ** Math.min(failures - 1, 10)),
          closing.signal,
        );
      }
    }
    await giveBack(taken);
  };
  /** Another finds them when it looks. Were PostgreSQL away: the reconciler finds that the engine has them not. */
  const giveBack = (runs: readonly ClaimedRun[]) =>
    store.takeBack(runs.map(({ id }) => id)).catch(() => {});

  const listening = await store.onDispatch(nudge);
  const looping = loop();
  return {
    nudge,
    get takes() {
      const isIdle = failures === 0 && !isBehind && taken.length < BATCH && !closing.signal.aborted;
      return isIdle && !engineIsFull();
    },
    take(runs) {
      if (closing.signal.aborted) return void giveBack(runs);
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
