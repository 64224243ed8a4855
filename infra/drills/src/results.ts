import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { DrillOptions } from "./options.ts";
import type { DrillLine } from "./run-drill.ts";

const FILE = join(import.meta.dirname, "../RESULTS.md");

const HEAD = `# Results

The last run of each drill in full size, written by \`npm run drill -- --write-results\`, never by hand.
${cpus().length} cores, Node ${process.versions.node}.
`;
const COLUMNS = ["drill", "status", "figures", "seconds", "seed", "day"];

/** Put the lines of a run into RESULTS.md, each in the place of the same drill's last one on that engine. */
export function writeResults(
  lines: readonly DrillLine[],
  { engine, size, drills }: DrillOptions,
): void {
  if (size !== "full")
    throw new Error("--write-results is for drills in full size, without --short");
  const sections = readSections();
  const rows = new Map(sections.get(engine));
  for (const line of lines) rows.set(line.drill, rowOf(line));
  sections.set(engine, rows);
  const order = new Map(drills.map(({ name }, n) => [name, n]));
  const parts = [...sections].sort().map(([name, of]) => {
    const sorted = [...of].sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    return [
      `## ${name}\n`,
      cells(COLUMNS),
      cells(COLUMNS.map(() => "---")),
      ...sorted.map(([, row]) => row),
      "",
    ].join("\n");
  });
  writeFileSync(FILE, [HEAD, ...parts].join("\n"));
}

/** By engine: each drill's row. */
function readSections(): Map<string, Map<string, string>> {
  const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [engine = "", ...rest] = part.split("\n");
      const rows = rest.filter((line) => line.startsWith("| ")).slice(2);
      return [engine, new Map(rows.map((row) => [row.split("|")[1]?.trim() ?? "", row]))];
    }),
  );
}

function rowOf({ drill, status, figures, elapsedMs, seed, why = [] }: DrillLine): string {
  const told = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const day = new Date().toISOString().slice(0, 10);
  return cells([
    drill,
    status,
    [...told, ...why].join("; "),
    seconds(elapsedMs),
    String(seed),
    day,
  ]);
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
const cells = (values: readonly string[]): string =>
  `| ${values.map((value) => value.replaceAll("|", "\\|")).join(" | ")} |`;
