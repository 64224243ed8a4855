import type { Log } from "./telemetry.ts";

export interface RoundsOptions {
  /** For the log: what a round does, e.g. `file letters`. */
  readonly what: string;
  readonly everyMs: number;
  /** Do it once. @returns milliseconds until the next, if not `everyMs`; 0 if there is more to do at once */
  readonly round: (signal: AbortSignal) => Promise<number | undefined>;
  /** Called after each failed round: what it told before may be true no longer. */
  readonly forget?: () => void;
  readonly log: Log;
}

export interface Rounds extends AsyncDisposable {
  /** Begin the next round now, or as soon as the present one is over. */
  wake(): void;
}

/** After a failed round; what was away is asked again soon, since its return is what is waited for. */
const RETRY_MS = 2_000;

/** Do something now and again and again, never twice at once, until disposed. A failure ends no round but its own. */
export function startRounds({ what, everyMs, round, forget, log }: RoundsOptions): Rounds {
  const closing = new AbortController();
  let awake = new AbortController();
  let woken = false;
  let failing = false;

  const once = async (): Promise<number> => {
    try {
      const waitMs = await round(closing.signal);
      if (failing) log.info({ what }, "working again");
      failing = false;
      return waitMs ?? everyMs;
    } catch (error) {
      forget?.();
      if (!failing && !closing.signal.aborted)
        log.warn({ err: error, what }, "cannot do this now; will retry");
      failing = true;
      return Math.min(RETRY_MS, everyMs);
    }
  };
  const loop = async () => {
    while (!closing.signal.aborted) {
      woken = false;
      const waitMs = await once();
      awake = new AbortController();
      // A wake-up must not turn an outage into a busy loop.
      if (woken && !failing) continue;
      await pause(
        waitMs,
        failing ? closing.signal : AbortSignal.any([closing.signal, awake.signal]),
      );
    }
  };
  const looping = loop();
  return {
    wake() {
      woken = true;
      awake.abort();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await looping;
    },
  };
}

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
