import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath } from "@ballast/local";
import { declaredMetrics, openTelemetry } from "@ballast/service";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { everyQuery, rules } from "./every-query.ts";
import { aggregationsOf, namedIn } from "./promql.ts";

/** What a scrape adds to every series. */
const OF_TARGETS = ["app", "instance"];
/** What Prometheus says by itself. */
const OF_PROMETHEUS: Readonly<Record<string, readonly string[]>> = {
  up: [...OF_TARGETS, "job"],
  ALERTS: ["alertname", "alertstate", "severity", "queue"],
};
const recorded: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  rules.flatMap(({ record, expr }) =>
    record === undefined
      ? []
      : [[record, /^\w+ by \(([^)]*)\)/.exec(expr)?.[1]?.split(", ") ?? []]],
  ),
);

function declared(): Readonly<Record<string, readonly string[]>> {
  const ours = declaredMetrics.flatMap(({ name, type, labels }) =>
    (type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).map((suffix) => [
      `${name}${suffix}`,
      [...labels, ...OF_TARGETS, ...(suffix === "_bucket" ? ["le"] : [])],
    ]),
  );
  const { telemetry } = openTelemetry({
    service: "test",
    level: "silent",
    stopping: new AbortController().signal,
  });
  const nodes = telemetry.registry
    .getMetricsAsArray()
    .filter(({ name }) => /^(process|nodejs)_/.test(name))
    .map(({ name }) => [name, OF_TARGETS]);
  return Object.fromEntries([...nodes, ...ours]);
}

test("each metric that a query names is exported, recorded or Prometheus' own", () => {
  const known = { ...declared(), ...recorded, ...OF_PROMETHEUS };
  expect(everyQuery.length).toBeGreaterThan(80);
  for (const { where, expr } of everyQuery) {
    const { metrics } = namedIn(expr);
    expect(metrics, where).not.toEqual([]);
    for (const name of metrics) expect(Object.keys(known), where).toContain(name);
  }
});

test("each label that a query selects or groups by is one of its metrics", () => {
  const known = { ...declared(), ...recorded, ...OF_PROMETHEUS };
  for (const { where, expr } of everyQuery) {
    const { metrics, selected, grouped } = namedIn(expr);
    for (const [metric, label] of selected) expect(known[metric], where).toContain(label);
    const any = metrics.flatMap((metric) => known[metric] ?? []);
    for (const label of grouped) expect(any, where).toContain(label);
  }
});

test("no query counts twice what several replicas tell alike", () => {
  const alike = declaredMetrics.filter((metric) => metric.alike).map(({ name }) => name);
  expect(alike).toContain("bullmq_job_count");
  for (const { where, expr } of everyQuery)
    for (const metric of alike)
      for (const aggregation of aggregationsOf(metric, expr))
        expect(["max", "absent"], `${where}: ${expr}`).toContain(aggregation);
});

test.runIf(findOnPath("promtool"))("every query parses", () => {
  const asked = everyQuery.map(({ expr }, at) => ({
    record: `query:${at}`,
    expr: expr
      .replaceAll("$__rate_interval", "1m")
      .replaceAll("$__range", "3h")
      .replaceAll(/\$(queue|marketplace|account)\b/g, "any"),
  }));
  const folder = mkdtempSync(join(tmpdir(), "ballast-queries-"));
  try {
    const file = join(folder, "queries.yaml");
    writeFileSync(file, stringify({ groups: [{ name: "queries", rules: asked }] }));
    const said = execFileSync("promtool", ["check", "rules", "--lint=none", file], {
      encoding: "utf8",
    });
    expect(said).toContain(`${asked.length} rules found`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the reader of queries sees what they name, and how it is taken together", () => {
  const expr =
    'sum by (queue) (max by (queue, state) (a_b{state="c{d}", queue!="e"})) / on (queue) rate(f:g[5m] offset 1h) unless h == 1';
  expect(namedIn(expr)).toEqual({
    metrics: ["a_b", "f:g", "h"],
    selected: [
      ["a_b", "state"],
      ["a_b", "queue"],
    ],
    grouped: ["queue", "queue", "state", "queue"],
  });
  expect(aggregationsOf("a_b", expr)).toEqual(["max"]);
  expect(aggregationsOf("f:g", expr)).toEqual([undefined]);
  expect(aggregationsOf("x", "max by () (y) + sum(avg_over_time(x[1h]))")).toEqual(["sum"]);
});
