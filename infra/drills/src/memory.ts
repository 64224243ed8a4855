import { readdirSync, readFileSync } from "node:fs";
import type { Replica } from "./stack/replica.ts";

interface Sample {
  readonly atMs: number;
  readonly mib: number;
}

/** How a process's memory went while it was watched. */
export interface MemoryCourse {
  /** Median of each quarter of the time, in MiB: a heap that fills for the first time rises less and less. */
  readonly quartersMib: readonly number[];
  /** MiB a minute over the last half: what still grows there goes on growing. */
  readonly lateMibPerMinute: number;
}

export interface MemoryWatch extends Disposable {
  /** Of each process that was watched for longer than `leastMs`. */
  courses(leastMs: number): ReadonlyMap<string, MemoryCourse>;
}

/** What a process preloads to collect its garbage when it is told to. */
export const COLLECTOR = `${import.meta.dirname}/collect-garbage.mjs`;

/** Where nobody tells it to, a runtime with gigabytes to spare collects old garbage after minutes. */
const COLLECT_EVERY_MS = 5_000;

/**
 * Note each second what the processes hold in memory, what they started (a browser) apart from them. They preload
 * the {@link COLLECTOR} and collect their garbage all the time: what grows then is held for good.
 */
export function watchMemory(replicas: () => readonly Replica[]): MemoryWatch {
  const samples = new Map<string, Sample[]>();
  const look = () => {
    const children = descendants();
    for (const { name, pid } of replicas()) {
      note(name, residentMib([pid]));
      const browser = children(pid);
      if (browser.length > 0) note(`${name}'s browser`, residentMib(browser));
    }
  };
  const note = (name: string, mib: number) => {
    if (mib === 0) return; // it ended meanwhile
    samples.set(name, [...(samples.get(name) ?? []), { atMs: performance.now(), mib }]);
  };
  const timer = setInterval(look, 1_000);
  const collecting = setInterval(() => {
    for (const replica of replicas()) if (!replica.hasEnded()) process.kill(replica.pid, "SIGUSR2");
  }, COLLECT_EVERY_MS);
  return {
    courses: (leastMs) =>
      new Map(
        [...samples]
          .filter(([, all]) => (all.at(-1)?.atMs ?? 0) - (all[0]?.atMs ?? 0) >= leastMs)
          .map(([name, all]) => [name, courseOf(all)]),
      ),
    [Symbol.dispose]() {
      clearInterval(timer);
      clearInterval(collecting);
    },
  };
}

function courseOf(samples: readonly Sample[]): MemoryCourse {
  const part = (from: number, to: number) =>
    samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to));
  const median = (some: readonly Sample[]) =>
    some.map(({ mib }) => mib).toSorted((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0;
  return {
    quartersMib: [0, 0.25, 0.5, 0.75].map((from) => Math.round(median(part(from, from + 0.25)))),
    lateMibPerMinute: slopePerMinute(part(0.5, 1)),
  };
}

/** The line that fits best: one collection of garbage more or less does not tilt it. */
function slopePerMinute(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [at, mib] = [mean((s) => s.atMs), mean((s) => s.mib)];
  const spread = mean((s) => (s.atMs - at) ** 2);
  return spread === 0 ? 0 : (mean((s) => (s.atMs - at) * (s.mib - mib)) / spread) * 60_000;
}

function residentMib(pids: readonly number[]): number {
  const kib = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(procFile(pid, "status"))?.[1] ?? 0));
  return kib.reduce((sum, each) => sum + each, 0) / 1_024;
}

/** All that a process started, and what those started. */
function descendants(): (pid: number) => number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(/^PPid:\s+(\d+)/m.exec(procFile(name, "status"))?.[1])]);
  const of = (pid: number): number[] =>
    parents.flatMap(([child = 0, parent]) => (parent === pid ? [child, ...of(child)] : []));
  return of;
}

function procFile(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it ended meanwhile
  }
}
