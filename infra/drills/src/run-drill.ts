import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EngineKind } from "@ballast/local";
import type { Drill, DrillContext, Size } from "./drill.ts";
import { editsOf, type Sabotage, untouchedFiles } from "./sabotage/sabotage.ts";
import type { PostgresServer } from "./stack/postgres-server.ts";
import { openStack } from "./stack/stack.ts";

/** What a drill came to; one line of JSON on stdout. */
export interface DrillLine {
  readonly drill: string;
  readonly engine: EngineKind;
  readonly ok: boolean;
  readonly status: "held" | "failed" | "upstream" | "not-applicable";
  readonly figures: Readonly<Record<string, number | string>>;
  readonly elapsedMs: number;
  readonly seed: number;
  /** What was broken, or why it says nothing here. */
  readonly why?: readonly string[];
}

export interface RunOptions {
  readonly engine: EngineKind;
  readonly size: Size;
  readonly seed: number;
  readonly postgres: PostgresServer;
  readonly dataDir: string;
  readonly sabotage?: Sabotage;
  readonly tell: (what: string) => void;
  /** Aborts when somebody interrupts. */
  readonly stopping: AbortSignal;
}

/** A drill that is not over by then hangs, and that is a failure of what it drills. */
const LIMIT_MS = { short: 120_000, full: 12 * 60_000 };

/** Run one drill from its stack to its line. Never throws. */
export async function runDrill(drill: Drill, options: RunOptions): Promise<DrillLine> {
  const { engine, size, seed } = options;
  const began = performance.now();
  const figures: Record<string, number | string> = {};
  const line = (status: DrillLine["status"], why: readonly string[]): DrillLine => ({
    drill: drill.name,
    engine,
    ok: status === "held" || status === "not-applicable",
    status,
    figures,
    elapsedMs: Math.round(performance.now() - began),
    seed,
    ...(why.length === 0 ? {} : { why }),
  });
  if (engine === "postgres" && drill.onPostgres?.status === "not-applicable")
    return line("not-applicable", [drill.onPostgres.why]);

  const folder = mkdtempSync(join(options.dataDir, `${drill.name}-`));
  const notes = join(folder, "edited-files");
  const edits = editsOf(options.sabotage);
  const late = AbortSignal.timeout(LIMIT_MS[size]);
  const over = new AbortController();
  const signal = AbortSignal.any([options.stopping, late, over.signal]);
  const broken: string[] = [];
  const open = new AsyncDisposableStack();
  const context: DrillContext = {
    engine,
    size,
    seed,
    sized: (short, full) => (size === "short" ? short : full),
    random: seeded(seed),
    signal,
    open: async (stackOptions) =>
      open.use(
        await openStack(
          { kind: engine, folder, postgres: options.postgres, edits, notes },
          stackOptions,
        ),
      ),
    use: (thing) => open.use(thing),
    figure: (name, value) => {
      figures[name] = typeof value === "number" ? Math.round(value * 100) / 100 : value;
    },
    must: (what, holds) => {
      if (holds) return;
      broken.push(what);
      // A proof asks for one failure, and has it.
      if (options.sabotage !== undefined) throw new Proven();
    },
    tell: options.tell,
  };
  try {
    await Promise.race([drill.run(context), rejectedBy(signal)]);
  } catch (error) {
    if (!(error instanceof Proven)) {
      const reason = late.aborted ? `not over after ${LIMIT_MS[size] / 1_000} s` : wordsOf(error);
      broken.push(`${NOT_FINISHED}: ${reason}`);
    }
  }
  over.abort(); // what a drill that broke off left running: loads, and waits
  const untouched = untouchedFiles(edits, notes);
  if (untouched.length > 0) broken.push(`${NOT_FINISHED}: no process loaded ${untouched}`);
  await open.disposeAsync().catch((error: unknown) => options.tell(`not closed: ${error}`));
  rmSync(folder, { recursive: true, force: true });

  if (broken.length === 0) return line("held", []);
  const upstream = engine === "postgres" ? drill.onPostgres?.why : undefined;
  return upstream === undefined ? line("failed", broken) : line("upstream", [upstream, ...broken]);
}

class Proven extends Error {}
/** Begins the reason of a line whose drill did not come to its end. */
export const NOT_FINISHED = "it could not be finished";

const wordsOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

const rejectedBy = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** mulberry32: small, and good enough to choose victims with. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
