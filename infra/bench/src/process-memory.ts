import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { quantile, slope } from "./statistics.ts";

/** What a process held, look by look. */
export interface MemoryCourse {
  readonly peakMb: number;
  /** Growth over the last half, through its middle value. */
  readonly growthPercent: number;
}

/** A peak, and whether it still grows in the last half, once caches and heaps are warm. */
export function courseOf(seenMb: readonly number[]): MemoryCourse {
  const half = seenMb.slice(Math.floor(seenMb.length / 2));
  const grown = slope(
    half.map((_, n) => n),
    half,
  );
  return {
    peakMb: Math.max(...seenMb),
    growthPercent: ((grown * (half.length - 1)) / quantile(half, 0.5)) * 100,
  };
}

/** Look at several memories at an interval until `work` is done. */
export async function watchMemory<Name extends string>(
  memories: Readonly<Record<Name, () => number>>,
  everyMs: number,
  work: Promise<unknown>,
): Promise<Record<Name, MemoryCourse>> {
  const names = Object.keys(memories) as Name[];
  const seen = names.map((): number[] => []);
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => {}); // awaited below
  while (!isOver) {
    names.forEach((name, n) => {
      seen[n]?.push(memories[name]());
    });
    await Promise.race([over, pause(everyMs)]);
  }
  await over;
  return Object.fromEntries(names.map((name, n) => [name, courseOf(seen[n] ?? [])])) as Record<
    Name,
    MemoryCourse
  >;
}

/** Resident memory of a process. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

/** Memory of all that a process started, what several share counted once. */
export function childrenPssMb(pid: number): number {
  const parents = new Map(processes().map(({ pid: child, parent }) => [child, parent]));
  const isUnder = (child: number): boolean => {
    const parent = parents.get(child);
    return parent === pid || (parent !== undefined && parent > 1 && isUnder(parent));
  };
  return [...parents.keys()].filter(isUnder).reduce((sum, child) => sum + pssMb(child), 0);
}

function processes(): Array<{ pid: number; parent: number }> {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), parent: Number(parent) }];
      } catch {
        return []; // it has just ended
      }
    });
}

function pssMb(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
