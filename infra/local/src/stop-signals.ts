import { constants } from "node:os";

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";
const signals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** A Ctrl-C reaches us from the terminal, from npm and from the launcher; that is one wish, not three. */
const sameWishMs = 1_000;

/** Somebody asked us to stop. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
  readonly exitCode: number;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Turn the first signal into an abort with a {@link StoppedError}; call `atOnce` for a later one, when
 * somebody lost patience.
 */
export function listenForStop(atOnce: (signal: StopSignal) => void): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  for (const signal of signals) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstAt = performance.now();
        stop.abort(new StoppedError(signal));
      } else if (performance.now() - firstAt > sameWishMs) {
        atOnce(signal);
      }
    });
  }
  return stop.signal;
}

/** Wait until somebody asks to stop. */
export const untilStopped = (stopping: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    // A listener alone does not keep the process up while nothing else happens.
    const keepUp = setInterval(() => {}, 60_000);
    const done = () => {
      clearInterval(keepUp);
      resolve();
    };
    if (stopping.aborted) done();
    else stopping.addEventListener("abort", done, { once: true });
  });
