import type { Job } from "bullmq";
import type { Attempted } from "./engine.ts";

/** On the job object, which BullMQ hands back in its events: a WeakMap keeps each alive until a full collection. */
const END = Symbol("how its attempt ended");

interface End {
  readonly attempted: Attempted;
  readonly sinceMs: number;
}

type Ended = Job & { [END]?: End | "told" };

/**
 * Outcomes that BullMQ was given and has not confirmed.
 *
 * It may never do so: the lock was lost meanwhile, or its store is away. Finished work must not be done
 * again for that, so `told` is called for it all the same once `patienceMs` have passed; the engine's
 * copy is then settled by its next start. Any other outcome is forgotten: whoever starts next decides anew.
 */
export class Unconfirmed implements Disposable {
  readonly #finished = new Set<Ended>();
  readonly #timer: NodeJS.Timeout;

  constructor(patienceMs: number) {
    this.#timer = setInterval(() => this.giveUp(Date.now() - patienceMs), patienceMs).unref();
  }

  add(job: Ended, attempted: Attempted): void {
    job[END] = { attempted, sinceMs: Date.now() };
    if (attempted.outcome.kind === "completed") this.#finished.add(job);
  }

  /** @returns false for a job that BullMQ ended without having asked for an outcome */
  confirm(job: Job): boolean {
    return this.#tell(job, true);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.giveUp();
  }

  /** Wait no longer for what was given to BullMQ before `untilMs`; telling of finished work early harms nobody. */
  giveUp(untilMs = Number.POSITIVE_INFINITY): void {
    for (const job of this.#finished) {
      const end = job[END];
      if (end !== undefined && end !== "told" && end.sinceMs > untilMs) return; // oldest first
      this.#tell(job, false);
    }
  }

  #tell(job: Ended, confirmed: boolean): boolean {
    const end = job[END];
    if (end === undefined) return false;
    this.#finished.delete(job);
    job[END] = "told";
    if (end !== "told") end.attempted.told(confirmed);
    return true;
  }
}
