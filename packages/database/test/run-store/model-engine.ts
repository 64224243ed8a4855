/** What a queue engine does with jobs, without a queue engine: it can lose them, stall them and be wiped. */
export class ModelEngine {
  readonly #jobs = new Map<string, ModelJob>();

  add(id: string): void {
    if (!this.#jobs.has(id)) this.#jobs.set(id, { id, state: "waiting", attemptId: null });
  }

  find(id: string): ModelJob | undefined {
    return this.#jobs.get(id);
  }

  /** Jobs that a worker could take now; a delayed one is taken to be due. */
  ready(): ModelJob[] {
    return [...this.#jobs.values()].filter(({ state }) => state === "waiting");
  }

  active(): ModelJob[] {
    return [...this.#jobs.values()].filter(({ state }) => state === "active");
  }

  /** `false` if it was removed or taken meanwhile. */
  take(id: string, attemptId: string): boolean {
    const job = this.#jobs.get(id);
    if (job?.state !== "waiting") return false;
    Object.assign(job, { state: "active", attemptId });
    return true;
  }

  /** What a worker says of its attempt; one whose lock was lost is not heard. */
  settle(id: string, attemptId: string, state: ModelJob["state"]): void {
    const job = this.#jobs.get(id);
    if (job?.state === "active" && job.attemptId === attemptId)
      Object.assign(job, { state, attemptId: null });
  }

  /** The worker that has it is silent: another may take it, while the first one goes on. */
  stall(id: string): void {
    const job = this.#jobs.get(id);
    if (job?.state === "active") Object.assign(job, { state: "waiting", attemptId: null });
  }

  /** It stalled too often. */
  giveUp(id: string): void {
    const job = this.#jobs.get(id);
    if (job?.state === "active") Object.assign(job, { state: "failed", attemptId: null });
  }

  remove(id: string): void {
    if (this.#jobs.get(id)?.state !== "active") this.#jobs.delete(id);
  }

  wipe(): void {
    this.#jobs.clear();
  }
}

export interface ModelJob {
  readonly id: string;
  readonly state: "waiting" | "active" | "completed" | "cancelled" | "failed";
  readonly attemptId: string | null;
}
