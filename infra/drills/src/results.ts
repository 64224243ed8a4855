import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { DrillOptions } from "./options.ts";
import type { DrillLine } from "./run-drill.ts";

const FILE = join(import.meta.dirname, "../RESULTS.md");

/** Put the lines of a run into RESULTS.md, in the place of the same engine's last ones. */
export function writeResults(lines: readonly DrillLine[], { engine, size }: DrillOptions): void {
  const before = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  const others = before
    .split(/^(?=## )/m)
    .filter((part) => part.startsWith("## ") && !part.startsWith(`## ${engine}`));
  const section = [
    `## ${engine}`,
    "",
    `${size} size, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node ${process.versions.node}.`,
    "",
    "| drill | status | figures | seconds | seed |",
    "| --- | --- | --- | --- | --- |",
    ...lines.map(
      ({ drill, status, figures, elapsedMs, seed, why = [] }) =>
        `| ${drill} | ${status} | ${[...Object.entries(figures).map(([name, value]) => `${name} ${value}`), ...why].join("; ").replaceAll("|", "\\|")} | ${(elapsedMs / 1_000).toFixed(1)} | ${seed} |`,
    ),
    "",
  ].join("\n");
  const head =
    "# Results of the last run\n\nWritten by `npm run drill -- --write-results`, never by hand.\n\n";
  writeFileSync(FILE, head + [...others, section].sort().join("\n"));
}
