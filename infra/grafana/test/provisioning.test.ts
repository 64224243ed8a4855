import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { provisioned } from "../src/alert-rules.ts";
import { PROMETHEUS } from "../src/data-source.ts";
import { madeFiles } from "../src/made-files.ts";
import { dashboards, panelsOf } from "./every-query.ts";

const folder = join(root, "infra/grafana");
const yaml = <T>(path: string): T => parse(readFileSync(join(root, path), "utf8"));
const { services } = yaml<{
  services: Record<string, { image: string; volumes: readonly string[] }>;
}>("infra/compose/observability.yaml");

test("what is made is current: no dashboard or rule was edited by hand", () => {
  const made = madeFiles();
  for (const [path, text] of made)
    expect(readFileSync(join(folder, path), "utf8") === text, `${path}: see README.md`).toBe(true);
  expect(globSync("dashboards/*", { cwd: folder }).every((path) => made.has(path))).toBe(true);
});

test("Compose shows Grafana these folders, and dashboards where its provider looks", () => {
  const mounts = services["grafana"]?.volumes ?? [];
  const { providers } = yaml<{ providers: ReadonlyArray<{ options: { path: string } }> }>(
    "infra/grafana/provisioning/dashboards/ballast.yaml",
  );
  expect(mounts).toContain("../grafana/provisioning:/etc/grafana/provisioning:ro");
  for (const { options } of providers)
    expect(mounts).toContain(`../grafana/dashboards:${options.path}:ro`);
});

test("dashboards and rules ask a data source that there is, at a service that runs", () => {
  const { datasources } = yaml<{
    datasources: ReadonlyArray<{ uid: string; type: string; url: string }>;
  }>("infra/grafana/provisioning/datasources/prometheus.yaml");
  expect(datasources).toContainEqual(expect.objectContaining(PROMETHEUS));
  for (const { url } of datasources) expect(Object.keys(services)).toContain(new URL(url).hostname);
});

test("dashboards are of the schema of the Grafana that shows them", () => {
  const { catalog } = yaml<{ catalog: Record<string, string> }>("pnpm-workspace.yaml");
  expect(services["grafana"]?.image).toContain(`grafana:${catalog["@grafana/schema"]}@`);
});

test("each panel says what it tells, and none lies over another", () => {
  for (const page of dashboards) {
    const taken = new Set<string>();
    for (const { id, title, description, gridPos } of panelsOf(page)) {
      expect(description, `${page.title}, ${title}`).toMatch(/^.{15,}\.$/);
      const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {};
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column += 1)
        for (let line = y; line < y + h; line += 1) taken.add(`${column} ${line}`);
      expect(id).toBeTypeOf("number");
    }
    const area = panelsOf(page).reduce(
      (sum, { gridPos }) => sum + (gridPos?.w ?? 0) * (gridPos?.h ?? 0),
      0,
    );
    expect(taken.size, page.title ?? "").toBe(area);
  }
});

test("Grafana's copy of an alert fires on whatever the query answers, and words it alike", () => {
  const copy = provisioned({
    alert: "TargetDown",
    expr: 'up{job="ballast"} == 0',
    for: "2m",
    labels: { severity: "critical" },
    annotations: {
      description: "{{ $labels.app }}: {{ $value | humanize }}",
      runbook_url: "infra/runbooks/TargetDown.md",
    },
  });
  expect(copy).toMatchObject({
    title: "TargetDown",
    condition: "fires",
    data: [
      { refId: "query", model: { expr: 'up{job="ballast"} == 0', instant: true } },
      { refId: "answers", model: { type: "math", expression: expect.stringMatching(/is_number/) } },
      { refId: "fires", model: { expression: "answers" } },
    ],
    noDataState: "OK",
    for: "2m",
    labels: { severity: "critical" },
  });
  // Of a `runbook_url` Grafana would make a link to a page of its own.
  expect(copy).toHaveProperty("annotations", {
    description: "{{ $labels.app }}: {{ $values.query.Value | humanize }}",
    runbook: "infra/runbooks/TargetDown.md",
  });
});

test("Grafana tells nobody of its copy, since Alertmanager does", () => {
  const { policies, muteTimes } = yaml<{
    policies: ReadonlyArray<{ routes: ReadonlyArray<Record<string, unknown>> }>;
    muteTimes: ReadonlyArray<{ name: string }>;
  }>("infra/grafana/provisioning/alerting/policy.yaml");
  const names = muteTimes.map(({ name }) => name);
  for (const { routes } of policies) {
    expect(routes[0]).toMatchObject({ object_matchers: [["alertname", "=~", ".+"]] });
    expect(routes[0]?.["mute_time_intervals"]).toEqual(names);
  }
});
