import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withMetricTable } from "../scripts/metric-table.ts";
import { declaredMetrics } from "../src/index.ts";

test("the README's table of metrics is what the list says", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  expect(readme).toBe(withMetricTable(readme));
});

test("the table leaves the API out of no metric that it exports", () => {
  const table = withMetricTable(readFileSync(join(import.meta.dirname, "../README.md"), "utf8"));
  for (const { name } of declaredMetrics.filter(({ by }) => by.includes("api")))
    expect(table).toMatch(new RegExp(`^\\| \`${name}\` .*\\| (api|every process)\\b`, "m"));
});

test("no metric is declared twice, and only histograms have buckets", () => {
  const names = declaredMetrics.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, buckets } of declaredMetrics)
    expect(buckets !== undefined, name).toBe(type === "histogram");
});
