import { expect } from "vitest";

export interface Wish {
  readonly requestId: string;
  readonly runId: string;
  readonly slot: string;
  /** Counts the changes of its slot, which the payload carries. */
  readonly change: number;
  isCancelled: boolean;
}

export interface RunRow {
  readonly id: string;
  readonly slot: string;
  readonly state: "waiting" | "started" | "completed" | "dead" | "cancelled";
  readonly change: number;
}

/** Keeps account of what was wished and what handlers saw, and says what must hold of the runs there are. */
export class SlotAccount {
  readonly wishes: Wish[] = [];
  /** Changes that handlers were given, by run, in the order of their starts. */
  readonly #seen = new Map<string, number[]>();
  /** How runs ended; the end is final. */
  readonly #ended = new Map<string, RunRow["state"]>();

  saw(runId: string, change: number): void {
    this.#seen.set(runId, [...(this.#seen.get(runId) ?? []), change]);
  }

  /** What must hold at any moment. */
  check(runs: ReadonlyMap<string, RunRow>): void {
    for (const state of ["waiting", "started"]) {
      const slots = [...runs.values()].filter((run) => run.state === state).map((run) => run.slot);
      expect(new Set(slots).size, `one run ${state} per slot`).toBe(slots.length);
    }
    for (const { id, state } of runs.values()) {
      expect(state, "an end, once it is reached").toBe(this.#ended.get(id) ?? state);
      if (state !== "waiting" && state !== "started") this.#ended.set(id, state);
    }
    for (const wish of this.wishes) {
      const run = runs.get(wish.runId);
      const what = `wish ${wish.change} of slot ${wish.slot.slice(-1)}`;
      if (run === undefined) throw new Error(`${what} has no run`);
      const [seen] = this.#seen.get(run.id) ?? [];
      if (seen !== undefined)
        expect(seen, `what the run of ${what} saw`).toBeGreaterThanOrEqual(wish.change);
      if (run.state === "waiting")
        expect(run.change, `what ${what} waits with`).toBeGreaterThanOrEqual(wish.change);
      if (run.state === "completed") expect(seen, `${what} was done`).toBeDefined();
      if (run.state === "cancelled") expect(wish.isCancelled, `${what} was cancelled`).toBe(true);
    }
  }
}
