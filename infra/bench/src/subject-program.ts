import type { Sample } from "./interleave.ts";
import { quantile } from "./statistics.ts";

type Command = (settings: never) => Promise<Sample>;

/** Serve what the bench asks of this process, one command at a time; ends with the bench. */
export function serveSubject(commands: Readonly<Record<string, Command>>): void {
  process.on("message", async (message: { command: string; settings: never }) => {
    const command = commands[message.command];
    try {
      if (command === undefined) throw new Error(`it knows no ${message.command}`);
      process.send?.({ sample: await command(message.settings) });
    } catch (error) {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : error });
    }
  });
  process.once("disconnect", () => process.exit());
}

/** Do `count` things and say how fast, at what cost of this process's CPU, and with how much memory at most. */
export async function measured(count: number, work: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  return { ...costOf(count, process.cpuUsage(cpu)), perSecond: count / seconds };
}

/** The same, one after the other, and what one of them takes. */
export async function oneByOne(count: number, task: () => Promise<unknown>): Promise<Sample> {
  const tookMs: number[] = [];
  const sample = await measured(count, async () => {
    for (let n = 0; n < count; n++) {
      const began = performance.now();
      await task();
      tookMs.push(performance.now() - began);
    }
  });
  return { ms: quantile(tookMs, 0.5), ...sample };
}

/** What this process spent on `count` things, and its peak so far. */
export function costOf(count: number, { user, system }: NodeJS.CpuUsage): Sample {
  return {
    cpuSecondsPer10k: ((user + system) / 1e6 / count) * 10_000,
    peakMb: process.resourceUsage().maxRSS / 1_024,
  };
}

/** How long things took, half of them and nearly all. */
export const latencies = (ms: readonly number[]): Sample => ({
  p50Ms: quantile(ms, 0.5),
  p99Ms: quantile(ms, 0.99),
});

/** Keep `width` of `count` tasks under way at any time. */
export async function atATime(
  width: number,
  count: number,
  task: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
