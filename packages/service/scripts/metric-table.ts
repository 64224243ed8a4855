import { type Declaration, declaredMetrics } from "../src/metric-list.ts";

const BEGIN =
  "<!-- Made by: node infra/local/launch.mjs packages/service/scripts/generate-metrics.ts -->";
const END = "<!-- /metrics -->";
const HEADER = ["metric", "type", "labels", "exported by", "what it says"];

/** `readme` with the table of all metrics as the list has them now. */
export function withMetricTable(readme: string): string {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from)
    throw new Error(`README.md has no place for metrics: ${BEGIN} … ${END}`);
  const rows = declaredMetrics.map(row);
  return `${readme.slice(0, from)}${BEGIN}\n\n${table([HEADER, ...rows])}\n\n${readme.slice(to)}`;
}

const row = ({ name, type, labels, by, help, alike }: Declaration): readonly string[] => [
  `\`${name}\``,
  alike ? `${type}, max` : type,
  labels.map((label) => `\`${label}\``).join(" ") || "–",
  by.length > 2 ? (by.includes("api") ? "every process" : "every worker") : by.join(", "),
  help,
];

function table(rows: ReadonlyArray<readonly string[]>): string {
  const widths = HEADER.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = rows;
  return [header, widths.map((width) => "-".repeat(width)), ...body].map(line).join("\n");
}
