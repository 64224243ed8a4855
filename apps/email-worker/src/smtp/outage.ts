const FIRST_MS = 5_000;
const LONGEST_MS = 60_000;

/**
 * How long mails stay away from a server that is down: 5 s, doubling to 60 s while it stays down,
 * per process. Mails that fail together count as one failure.
 */
export class Outage {
  #delayMs = 0;
  #growsAt = 0;

  /** Note a failure; answers how long to stay away, in milliseconds. */
  failed(nowMs = Date.now()): number {
    if (nowMs >= this.#growsAt) {
      this.#delayMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, this.#delayMs * 2));
      this.#growsAt = nowMs + this.#delayMs;
    }
    return this.#delayMs;
  }

  /** The server answered, whatever it said. */
  over(): void {
    this.#delayMs = 0;
    this.#growsAt = 0;
  }
}
