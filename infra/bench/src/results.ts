import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { BenchReport } from "./run-bench.ts";

const FILE = join(import.meta.dirname, "../RESULTS.md");
const COLUMNS = [
  "bench",
  "figure",
  "against",
  "ours",
  "theirs",
  "unit",
  "ratio",
  "goal",
  "met",
  "rounds",
  "noise",
];

/** RESULTS.md, as a full run leaves it. */
export function resultsPage(reports: readonly BenchReport[], machine: string, day: string): string {
  const rows = reports.flatMap(({ bench, claims, failure }) =>
    failure === undefined
      ? claims.map((claim) => [
          bench,
          claim.figure,
          claim.against,
          String(claim.ours),
          claim.theirs === null ? "–" : String(claim.theirs),
          claim.unit,
          String(claim.ratio),
          claim.goal,
          claim.ok ? "yes" : "no",
          String(claim.rounds),
          claim.noisePercent === null ? "–" : `${claim.noisePercent} %`,
        ])
      : [[bench, "not finished", failure, ...COLUMNS.slice(3).map(() => "")]],
  );
  const notes = reports
    .filter((report) => report.notes.length > 0)
    .map((report) => [`## ${report.bench}`, "", ...report.notes.map((note) => `- ${note}`), ""]);
  return [
    "# Results",
    "",
    "The last full run, written by `npm run bench -- --write-results`, never by hand.",
    `${day}, ${machine}.`,
    "",
    cells(COLUMNS),
    cells(COLUMNS.map(() => "---")),
    ...rows.map(cells),
    "",
    ...notes.flat(),
  ].join("\n");
}

export function writeResults(reports: readonly BenchReport[]): void {
  writeFileSync(FILE, resultsPage(reports, machine(), new Date().toISOString().slice(0, 10)));
}

function machine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${memory}, Node ${process.versions.node}, BullMQ ${bullmqVersion()}`;
}

const bullmqVersion = (): string => {
  const file = import.meta.resolve("bullmq/package.json");
  return (JSON.parse(readFileSync(new URL(file), "utf8")) as { version: string }).version;
};

const cells = (values: readonly string[]): string =>
  `| ${values.map((value) => value.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
