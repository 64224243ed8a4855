/**
 * Who may run beside whom in this process.
 *
 * A suspect, under which a process ended before, waits until all others have ended, and then runs alone:
 * if the process ends again, nobody else is harmed and there is no doubt who did it. Meanwhile nothing
 * else is taken, and what was taken already goes back to the queue, since it would share the crash.
 */
export class Quarantine {
  /** Told how many attempts may be taken at a time: one while there is a suspect. */
  readonly #limit: (isQuarantined: boolean) => void;
  #besideCount = 0;
  #hasSuspect = false;
  #emptied: (() => void) | undefined;

  constructor(limit: (isQuarantined: boolean) => void) {
    this.#limit = limit;
  }

  get hasRoom(): boolean {
    return !this.#hasSuspect;
  }

  /** A place among others; `undefined` while a suspect waits or runs. */
  beside(): Disposable | undefined {
    if (this.#hasSuspect) return undefined;
    this.#besideCount += 1;
    return once(() => {
      this.#besideCount -= 1;
      if (this.#besideCount === 0) this.#emptied?.();
    });
  }

  /** A place alone, once all others have left theirs; `undefined` for a second suspect, or on abort. */
  async alone(signal: AbortSignal): Promise<Disposable | undefined> {
    if (this.#hasSuspect || signal.aborted) return undefined;
    this.#hasSuspect = true;
    this.#limit(true);
    if (this.#besideCount > 0)
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    this.#emptied = undefined;
    const place = once(() => {
      this.#hasSuspect = false;
      this.#limit(false);
    });
    if (!signal.aborted) return place;
    place[Symbol.dispose]();
    return undefined;
  }
}

/** Disposing it twice leaves one place, not two. */
function once(leave: () => void): Disposable {
  let left = false;
  return {
    [Symbol.dispose]() {
      if (!left) leave();
      left = true;
    },
  };
}
