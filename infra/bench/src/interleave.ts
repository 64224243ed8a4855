import { probe } from "./noise.ts";
import { median } from "./statistics.ts";

/** What one round of one side came to, by name: `perSecond`, `cpuSecondsPer10k`, `peakMb`, … */
export type Sample = Readonly<Record<string, number>>;

export type Round = () => Promise<Sample>;

/** All samples of all sides, round by round. */
export interface Seen<Side extends string> {
  readonly rounds: number;
  readonly probesMs: readonly number[];
  /** The median of one side's figure. */
  of(side: Side, figure: string): number;
  /** The median of what the rounds' own ratios were: a slow minute hits both sides of its round. */
  ratio(ours: Side, theirs: Side, figure: string): number;
  figures(side: Side): readonly string[];
}

/**
 * Let the sides take turns, each once a round and each round beginning with another one, after a round that
 * nobody counts.
 *
 * @param between runs before each turn, outside of what is measured
 */
export async function interleave<Side extends string>(
  sides: Readonly<Record<Side, Round>>,
  { rounds, warmUp = 1, signal }: { rounds: number; warmUp?: number; signal?: AbortSignal },
): Promise<Seen<Side>> {
  const names = Object.keys(sides) as Side[];
  const samples: Array<Record<Side, Sample>> = [];
  const probesMs: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const turn = {} as Record<Side, Sample>;
    for (const name of rotated(names, Math.max(0, round))) {
      signal?.throwIfAborted();
      if (round >= 0) probesMs.push(probe());
      turn[name] = await sides[name]();
    }
    if (round >= 0) samples.push(turn);
  }
  return seenOf(samples, probesMs);
}

export function seenOf<Side extends string>(
  samples: ReadonlyArray<Readonly<Record<Side, Sample>>>,
  probesMs: readonly number[],
): Seen<Side> {
  const figure = (sample: Sample, name: string): number => {
    const value = sample[name];
    if (value === undefined) throw new Error(`no side measured ${name}`);
    return value;
  };
  return {
    rounds: samples.length,
    probesMs,
    of: (side, name) => median(samples.map((round) => figure(round[side], name))),
    ratio: (ours, theirs, name) =>
      median(samples.map((round) => figure(round[ours], name) / figure(round[theirs], name))),
    figures: (side) => Object.keys(samples[0]?.[side] ?? {}),
  };
}

const rotated = <T>(list: readonly T[], by: number): T[] => {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
};
