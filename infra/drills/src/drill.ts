import type { EngineKind } from "@ballast/local";
import type { Sabotage } from "./sabotage/sabotage.ts";
import type { Stack, StackOptions } from "./stack/stack.ts";

/** How long a drill takes: `short` is at most 15 s and runs in CI, `full` is what its promise says. */
export type Size = "short" | "full";

/** What a drill is given: its circumstances, a stack, and where to write what it saw. */
export interface DrillContext {
  readonly engine: EngineKind;
  readonly size: Size;
  readonly seed: number;
  /** The first in a short drill, the second in a full one. */
  sized<T>(short: T, full: T): T;
  /** A number in `[0, 1)`, the same ones for the same seed. */
  random(): number;
  /** Start a stack of this drill's own; it ends with the drill. */
  open(options?: StackOptions): Promise<Stack>;
  /** Let what else it started end with the drill, also with one that is interrupted and never comes to its end. */
  use<T extends AsyncDisposable>(thing: T): T;
  /** Note a figure, for the drill's line. */
  figure(name: string, value: number | string): void;
  /** What must hold; a drill goes on after it was broken, so that one run shows all that is. */
  must(what: string, holds: boolean): void;
  /** Aborts when somebody interrupts, or when the drill takes far too long. Pass it to what waits. */
  readonly signal: AbortSignal;
  /** Tell people what happens now. */
  tell(what: string): void;
}

/** Why a drill says nothing on an engine: a fault upstream, or no such thing there. */
export interface Exception {
  readonly status: "upstream" | "not-applicable";
  readonly why: string;
}

export interface Drill {
  readonly name: string;
  /** What must hold, in one line. */
  readonly promise: string;
  /** Runs on PostgreSQL in CI as well. */
  readonly shortOnPostgres?: boolean;
  readonly onPostgres?: Exception;
  /** Each takes one protection away, and the drill must fail for it. */
  readonly sabotages: readonly Sabotage[];
  run(t: DrillContext): Promise<void>;
}

/** Declare a drill. */
export const defineDrill = (drill: Drill): Drill => drill;
