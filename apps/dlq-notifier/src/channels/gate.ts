import { DependencyDownError, RateLimitedError } from "@ballast/jobs";

interface GateOptions {
  /** Who is behind it, for messages. */
  readonly name: string;
  /** At a time, in this process. */
  readonly concurrency?: number;
  readonly now?: () => number;
}

const CONCURRENCY = 2;
/** Away from what is down: 5 s, doubling to 60 s while it stays down. */
const FIRST_MS = 5_000;
const LONGEST_MS = 60_000;
/** Until somebody in front is done, who has 10 s at most. */
const BUSY_MS = 500;

/**
 * Keeps one dead channel from delaying another: no more than a few alerts wait for it at a time, and
 * once it failed, the next ones are put off without asking it, until it is time for a probe.
 */
export class Gate {
  readonly #name: string;
  readonly #concurrency: number;
  readonly #now: () => number;
  #inside = 0;
  #closedUntil = 0;
  #delayMs = 0;
  #why = "";

  constructor({ name, concurrency = CONCURRENCY, now = Date.now }: GateOptions) {
    this.#name = name;
    this.#concurrency = concurrency;
    this.#now = now;
  }

  /** @throws {DependencyDownError} if there is no way through now */
  async through<T>(work: () => Promise<T>): Promise<T> {
    const waitMs = this.#closedUntil - this.#now();
    if (waitMs > 0)
      throw new DependencyDownError(
        "channel_closed",
        `${this.#name} failed a moment ago: ${this.#why}`,
        {
          retryAfterMs: waitMs,
        },
      );
    if (this.#inside >= this.#concurrency)
      throw new DependencyDownError(
        "channel_busy",
        `${this.#inside} other calls to ${this.#name} are under way`,
        { retryAfterMs: BUSY_MS },
      );
    this.#inside += 1;
    try {
      const result = await work();
      this.#delayMs = 0;
      return result;
    } catch (error) {
      if (error instanceof RateLimitedError || error instanceof DependencyDownError)
        throw this.#close(error);
      throw error;
    } finally {
      this.#inside -= 1;
    }
  }

  /** The same failure, with the wait that this gate keeps. */
  #close(error: RateLimitedError | DependencyDownError): Error {
    this.#delayMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, this.#delayMs * 2));
    const retryAfterMs = error.retryAfterMs ?? this.#delayMs;
    this.#closedUntil = Math.max(this.#closedUntil, this.#now() + retryAfterMs);
    this.#why = error.message;
    if (error instanceof RateLimitedError) return error;
    return new DependencyDownError(error.code, error.message, { retryAfterMs });
  }
}
