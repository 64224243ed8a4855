import type { Job } from "bullmq";
import type { Outcome } from "../outcome.ts";
import type { Consumption, Delivery } from "./engine.ts";

interface End {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  readonly sinceMs: number;
}

/**
 * Outcomes that BullMQ was given and has not confirmed.
 *
 * It may never do so: the lock was lost meanwhile, or its store is away. Finished work must not be done
 * again for that, so `told` is called for it all the same once `patienceMs` have passed; the engine's
 * copy is then settled by its next start. Any other outcome is forgotten: whoever starts next decides anew.
 */
export class Unconfirmed implements Disposable {
  readonly #told: Consumption["told"];
  /** By the job object, which BullMQ hands back in its events. */
  readonly #ends = new WeakMap<Job, End | "told">();
  readonly #finished = new Set<Job>();
  readonly #timer: NodeJS.Timeout;

  constructor(told: Consumption["told"], patienceMs: number) {
    this.#told = told;
    this.#timer = setInterval(() => this.giveUp(Date.now() - patienceMs), patienceMs).unref();
  }

  add(job: Job, delivery: Delivery, outcome: Outcome): void {
    this.#ends.set(job, { delivery, outcome, sinceMs: Date.now() });
    if (outcome.kind === "completed") this.#finished.add(job);
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
      const end = this.#ends.get(job);
      if (end !== undefined && end !== "told" && end.sinceMs > untilMs) return; // oldest first
      this.#tell(job, false);
    }
  }

  #tell(job: Job, confirmed: boolean): boolean {
    const end = this.#ends.get(job);
    if (end === undefined) return false;
    this.#finished.delete(job);
    this.#ends.set(job, "told");
    if (end !== "told") this.#told(end.delivery, end.outcome, confirmed);
    return true;
  }
}
