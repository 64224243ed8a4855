import { quantile } from "./statistics.ts";

/** Work of some 20 ms on one core of today, the same each time. */
const TURNS = 4_000_000;

/** Milliseconds that a fixed piece of work takes now: longer when others have the cores. */
export function probe(): number {
  const began = performance.now();
  let x = 1;
  for (let turn = 0; turn < TURNS; turn++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  // The sum is used, so that no compiler leaves the work out.
  return performance.now() - began + (x === 0 ? Number.EPSILON : 0);
}

/** How much longer than the quickest the same work took, in per cent; above 20 the absolute figures say little. */
export interface Noise {
  readonly medianPercent: number;
  readonly worstPercent: number;
}

export function noiseOf(probesMs: readonly number[]): Noise {
  const quickest = Math.min(...probesMs);
  const percent = (ms: number) => Math.round((ms / quickest - 1) * 100);
  return {
    medianPercent: percent(quantile(probesMs, 0.5)),
    worstPercent: percent(Math.max(...probesMs)),
  };
}
