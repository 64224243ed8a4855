import { StoreUnavailableError } from "./errors.ts";

export interface Watch {
  /** Aborted when the other side was silent for too long, when the caller's signal is, or at the end. */
  readonly signal: AbortSignal;
  /** Expect the other side to do something now. */
  start(timeoutMs: number): void;
  /** It did; from here on we are the ones who take their time. */
  stop(): void;
  /** Let go: whatever still runs under the signal is cut off. Safe to repeat. */
  end(): void;
}

/** Watch over one request, whose phases (answer, each chunk of a body) have their own timeout. */
export function openWatch(signals: readonly (AbortSignal | undefined)[]): Watch {
  const own = new AbortController();
  const others = signals.filter((signal) => signal !== undefined);
  let timer: NodeJS.Timeout | undefined;

  const stop = () => clearTimeout(timer);
  return {
    signal: AbortSignal.any([own.signal, ...others]),
    start(timeoutMs) {
      stop();
      timer = setTimeout(() => {
        const message = `the object store did not answer within ${timeoutMs} ms`;
        own.abort(new StoreUnavailableError("timeout", message));
      }, timeoutMs);
    },
    stop,
    end() {
      stop();
      own.abort();
    },
  };
}
