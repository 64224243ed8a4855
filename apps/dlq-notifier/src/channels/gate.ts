import {
  AUTH_FAILED,
  DependencyDownError,
  RateLimitedError,
  type RemoteGuard,
  type Verdict,
  verdictOf,
} from "@ballast/jobs";

interface GateOptions {
  /** Who is behind it, for messages. */
  readonly name: string;
  /** Shared by all processes: its gate, and how long it asked to be left alone. */
  readonly guard: RemoteGuard;
  /** At a time, in this process. */
  readonly concurrency?: number;
}

const CONCURRENCY = 2;
/** Until somebody in front is done, who has 10 s at most. */
const BUSY_MS = 500;

/**
 * Keeps one dead channel from delaying another: no more than a few alerts wait for it at a time, and
 * once it is known to be away, the next ones are put off without asking it, until it is time for a probe.
 */
export class Gate {
  readonly #name: string;
  readonly #guard: RemoteGuard;
  readonly #concurrency: number;
  #inside = 0;

  constructor({ name, guard, concurrency = CONCURRENCY }: GateOptions) {
    this.#name = name;
    this.#guard = guard;
    this.#concurrency = concurrency;
  }

  /** @throws {DependencyDownError} if there is no way through now */
  async through<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#inside >= this.#concurrency)
      throw new DependencyDownError(
        "channel_busy",
        `${this.#inside} other calls to ${this.#name} are under way`,
        { retryAfterMs: BUSY_MS },
      );
    this.#inside += 1;
    try {
      const told = await this.#guard.call({ signal }, () => limitAsValue(work));
      if ("limited" in told) throw told.limited;
      return told.result;
    } finally {
      this.#inside -= 1;
    }
  }
}

type Told<T> = { readonly result: T } | { readonly limited: RateLimitedError };

/** What asks to wait is no failure of the channel: its guard keeps the time, for all processes. */
async function limitAsValue<T>(work: () => Promise<T>) {
  try {
    return { value: { result: await work() } satisfies Told<T> as Told<T> };
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    const { retryAfterMs } = error;
    const value: Told<T> = { limited: error };
    return { value, throttle: { isThrottled: true, retryAfterMs } };
  }
}

/** A wrong address or credential ends with nobody's patience, as with a marketplace. */
export function judgeChannel(error: unknown): Verdict {
  const verdict = verdictOf(error);
  const isRefusal = typeof verdict === "object" && verdict.code.endsWith("_refused");
  return isRefusal ? { ...verdict, code: AUTH_FAILED } : verdict;
}
