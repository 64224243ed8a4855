import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findOnPath, root } from "@ballast/local";
import { expect, test } from "vitest";
import { parse } from "yaml";

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface RuleFile {
  readonly groups: ReadonlyArray<{ readonly rules: readonly Rule[] }>;
}
interface TestFile {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{
      readonly alertname: string;
      readonly exp_alerts: readonly object[];
    }>;
  }>;
}

const folder = join(root, "infra/prometheus");
const files = (pattern: string) => globSync(join(folder, pattern)).toSorted();
const read = <T>(file: string): T => parse(readFileSync(file, "utf8"));
const rules = [...files("rules/*.yaml"), ...files("alerts/*.yaml")]
  .flatMap((file) => read<RuleFile>(file).groups)
  .flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

test("each alert says how bad it is, what it is, and where its runbook stands", () => {
  for (const { alert = "", labels, annotations } of alerts) {
    expect(["critical", "warning"], alert).toContain(labels?.["severity"]);
    expect(annotations?.["summary"], alert).toMatch(/^[A-Z][^{}]+$/);
    expect(annotations?.["description"], alert).toMatch(/^.{20,}\.$/);
    expect(annotations?.["runbook_url"], alert).toBe(`infra/runbooks/${alert}.md`);
    const headings = readFileSync(join(root, `infra/runbooks/${alert}.md`), "utf8").match(
      /^#.*$/gm,
    );
    expect(headings).toEqual([
      `# ${alert}`,
      "## Meaning",
      "## Impact",
      "## Diagnosis",
      "## Mitigation",
    ]);
  }
});

test("each runbook is that of an alert", () => {
  const runbooks = globSync(join(root, "infra/runbooks/*.md")).map((file) => basename(file, ".md"));
  expect(runbooks.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test("each alert has a test in which it fires and one in which it is silent", () => {
  const cases = files("tests/*.yaml")
    .flatMap((file) => read<TestFile>(file).tests)
    .flatMap(({ alert_rule_test }) => alert_rule_test);
  for (const { alert } of alerts) {
    const its = cases.filter(({ alertname }) => alertname === alert);
    expect(
      its.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires`,
    ).toBe(true);
    expect(
      its.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} is silent`,
    ).toBe(true);
  }
});

test.runIf(findOnPath("promtool"))("promtool takes the rules, and their tests hold", () => {
  const promtool = (...args: string[]) => execFileSync("promtool", args, { encoding: "utf8" });
  expect(promtool("check", "config", join(folder, "prometheus.yaml"))).toContain("SUCCESS");
  expect(promtool("test", "rules", ...files("tests/*.yaml"))).not.toContain("FAILED");
});

test.runIf(findOnPath("amtool"))("amtool takes Alertmanager's configuration", () => {
  const file = join(root, "infra/alertmanager/alertmanager.yaml");
  expect(execFileSync("amtool", ["check-config", file], { encoding: "utf8" })).toContain("SUCCESS");
});
