/** One thing we say of ourselves, and what was measured; one line of JSON on stdout. */
export interface Claim {
  readonly bench: string;
  /** What of it: a bench may say more than one thing. */
  readonly figure: string;
  readonly against: string;
  /** Ours through theirs; ours alone where the goal is no ratio. */
  readonly ratio: number;
  readonly goal: string;
  readonly ok: boolean;
  readonly ours: number;
  readonly theirs: number | null;
  readonly unit: string;
  readonly rounds: number;
  /** `null` where it was not measured. */
  readonly noisePercent: number | null;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

export const isMet = (value: number, goal: Goal): boolean =>
  "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;

export const goalText = (goal: Goal): string =>
  "atLeast" in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`;

/** Four digits say all that such a measurement knows. */
export const rounded = (value: number): number =>
  Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
