import type { Goal } from "./claim.ts";
import type { Seen } from "./interleave.ts";
import type { Servers } from "./servers.ts";
import type { Subject } from "./subject.ts";

/** A bench ends by itself within some minutes; what does not, hangs, and its bench fails. */
export const LIMIT_MS = 6 * 60_000;

/** One line of the table of promises. */
export interface Bench {
  readonly name: string;
  /** Ours against what, in one sentence. */
  readonly about: string;
  /** One that takes longer hangs. Default: {@link LIMIT_MS}. */
  readonly limitMs?: number;
  run(context: BenchContext): Promise<void>;
}

export interface BenchContext {
  sized(quick: number, full: number): number;
  readonly signal: AbortSignal;
  readonly servers: Servers;
  /** A folder that goes with the bench. */
  readonly folder: string;
  /** Start a program of `subjects/` in a process of its own; it ends with the bench. */
  subject(program: string): Promise<Subject>;
  /** Opened things that close with the bench, last first. */
  use<T extends AsyncDisposable>(opened: T): T;
  /** Say what the ratio of two sides' figure is, and whether it is as good as promised. */
  compare<Side extends string>(
    seen: Seen<Side>,
    what: {
      readonly ours: Side;
      readonly theirs: Side;
      /** Of the samples. */
      readonly figure: string;
      readonly unit: string;
      readonly goal: Goal;
      /** Who they are, for people. */
      readonly against: string;
    },
  ): void;
  /** Say what a figure of ours is where no one else's is beside it, or where the ratio was made elsewhere. */
  state(what: {
    readonly figure: string;
    readonly value: number;
    readonly unit: string;
    readonly goal: Goal;
    readonly against: string;
    readonly ours?: number;
    readonly theirs?: number;
    readonly rounds: number;
    readonly probesMs?: readonly number[];
  }): void;
  /** Print every figure of every side. */
  table<Side extends string>(title: string, seen: Seen<Side>, sides: readonly Side[]): void;
  /** A remark for people, kept beside the results. */
  note(text: string): void;
}
