import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type BenchContext, LIMIT_MS } from "./bench.ts";
import { type Claim, goalText, isMet, rounded } from "./claim.ts";
import type { Seen } from "./interleave.ts";
import { type Noise, noiseOf } from "./noise.ts";
import type { Servers } from "./servers.ts";
import { startSubject } from "./subject.ts";

export interface RunOptions {
  readonly quick: boolean;
  readonly servers: Servers;
  readonly dataDir: string;
  readonly stopping: AbortSignal;
  /** What people read while it runs. */
  readonly tell: (text: string) => void;
}

/** What a bench came to. */
export interface BenchReport {
  readonly bench: string;
  readonly claims: readonly Claim[];
  readonly notes: readonly string[];
  readonly elapsedMs: number;
  /** Why it could not be finished. */
  readonly failure?: string;
}

/** Run one bench. Never throws. */
export async function runBench(bench: Bench, options: RunOptions): Promise<BenchReport> {
  const { quick, servers, tell } = options;
  const began = performance.now();
  const folder = mkdtempSync(join(options.dataDir, `${bench.name}-`));
  const open = new AsyncDisposableStack();
  const claims: Claim[] = [];
  const notes: string[] = [];
  const state: BenchContext["state"] = ({ figure, value, unit, goal, against, ...rest }) => {
    const claim = {
      bench: bench.name,
      figure,
      against,
      ratio: rounded(value),
      goal: goalText(goal),
      ok: isMet(value, goal),
      ours: rounded(rest.ours ?? value),
      theirs: rest.theirs === undefined ? null : rounded(rest.theirs),
      unit,
      rounds: rest.rounds,
      noisePercent: noiseIn(rest.probesMs)?.medianPercent ?? null,
    };
    claims.push(claim);
    tell(claimText(claim));
  };
  const signal = AbortSignal.any([
    options.stopping,
    AbortSignal.timeout(bench.limitMs ?? LIMIT_MS),
  ]);
  const context: BenchContext = {
    servers,
    folder,
    signal,
    sized: (small, full) => (quick ? small : full),
    subject: async (program) => open.use(await startSubject(program)),
    use: (opened) => open.use(opened),
    state,
    compare: (seen, { ours, theirs, figure, ...rest }) =>
      state({
        ...rest,
        figure,
        value: seen.ratio(ours, theirs, figure),
        ours: seen.of(ours, figure),
        theirs: seen.of(theirs, figure),
        rounds: seen.rounds,
        probesMs: seen.probesMs,
      }),
    table: (title, seen, sides) => tell(tableText(title, seen, sides)),
    note: (text) => {
      notes.push(text);
      tell(`  ${text}`);
    },
  };
  let failure: string | undefined;
  try {
    await Promise.race([bench.run(context), rejectedBy(signal)]);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    tell(`  could not be finished: ${failure}`);
  }
  await open.disposeAsync().catch((error: unknown) => tell(`  not closed: ${error}`));
  rmSync(folder, { recursive: true, force: true });
  const elapsedMs = Math.round(performance.now() - began);
  return {
    bench: bench.name,
    claims,
    notes,
    elapsedMs,
    ...(failure === undefined ? {} : { failure }),
  };
}

const rejectedBy = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** `undefined` where nobody measured it: that is not the same as none. */
const noiseIn = (probesMs: readonly number[] = []): Noise | undefined =>
  probesMs.length === 0 ? undefined : noiseOf(probesMs);

const claimText = ({ ok, figure, against, ratio, goal, ours, theirs, unit, rounds }: Claim) => {
  const beside = theirs === null ? "" : ` (${ours} against ${theirs} ${unit})`;
  const said = theirs === null ? `${ratio} ${unit}` : `${ratio}x`;
  return `  ${ok ? "ok  " : "MISS"} ${figure} against ${against}: ${said}, goal ${goal}${beside}, ${rounds} rounds`;
};

function tableText<Side extends string>(
  title: string,
  seen: Seen<Side>,
  sides: readonly Side[],
): string {
  const noise = noiseIn(seen.probesMs);
  const beside = noise && `; noise ${noise.medianPercent} %, at worst ${noise.worstPercent} %`;
  const head = `  ${title}: medians of ${seen.rounds} rounds${beside ?? ""}`;
  const lines = sides.map((side) => {
    const figures = seen.figures(side).map((name) => `${name} ${rounded(seen.of(side, name))}`);
    return `    ${side.padEnd(16)} ${figures.join(", ")}`;
  });
  return [head, ...lines].join("\n");
}
