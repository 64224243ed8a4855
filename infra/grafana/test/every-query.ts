import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import type { Panel } from "@grafana/schema";
import { parse } from "yaml";
import { dashboard } from "../src/board.ts";
import { boards } from "../src/made-files.ts";

interface Asked {
  readonly where: string;
  readonly expr: string;
}
interface RuleFile {
  readonly groups: ReadonlyArray<{
    readonly rules: ReadonlyArray<{ record?: string; alert?: string; expr: string }>;
  }>;
}

/** The rules that Prometheus evaluates. */
export const rules = globSync(join(root, "infra/prometheus/{rules,alerts}/*.yaml"))
  .flatMap((file) => (parse(readFileSync(file, "utf8")) as RuleFile).groups)
  .flatMap((group) => group.rules);

export const dashboards = boards.map(dashboard);
export const panelsOf = ({ panels = [] }: (typeof dashboards)[number]): Panel[] =>
  panels.filter((panel): panel is Panel => panel.type !== "row");

/** Every query there is: of rules, panels, annotations and of what can be picked. */
export const everyQuery: readonly Asked[] = [
  ...rules.map(({ record, alert, expr }) => ({ where: record ?? alert ?? "", expr })),
  ...dashboards.flatMap((page) => [
    ...panelsOf(page).flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `${page.title}, ${title}`, expr: String(expr) })),
    ),
    ...(page.annotations?.list ?? []).map((marks) => ({
      where: `${page.title}, ${marks.name}`,
      expr: String((marks as { expr?: string }).expr),
    })),
    ...(page.templating?.list ?? []).map(({ name, query }) => ({
      where: `${page.title}, $${name}`,
      expr: labelValues(query as { query: string }),
    })),
  ]),
];

/** Grafana's `label_values(metric, label)` asks Prometheus for a label's values: as PromQL, groups by it. */
function labelValues({ query }: { readonly query: string }): string {
  const [, metric, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
  return `max by (${label}) (${metric})`;
}
