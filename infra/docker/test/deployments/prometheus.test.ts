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
/** What every api replica exports alike: a sum over replicas would count it once for each. */
const SAME_ON_EVERY_REPLICA = [
  "bullmq_job_count",
  "ballast_oldest_waiting_age_seconds",
  "ballast_overdue_delayed_age_seconds",
  "ballast_engine_memory_share",
  "ballast_engine_unfit",
  "ballast_reminder_overdue_age_seconds",
  "ballast_schedule_overdue_age_seconds",
  "ballast_outbox_pending",
  "ballast_outbox_oldest_pending_age_seconds",
  "ballast_gate_closed",
  "ballast_quota_left",
  "ballast_dead_letters",
];

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

test("no rule counts twice what several replicas export alike", () => {
  for (const { expr } of rules)
    for (const name of SAME_ON_EVERY_REPLICA) {
      const outside = expr
        .replaceAll(/max by \([^)]*\) \([^()]*\)/g, "")
        .replaceAll(/absent\([^()]*\)/g, "");
      expect(outside, expr).not.toContain(name);
    }
});

test("each metric that a rule names is declared", () => {
  const declared = readFileSync(join(root, "packages/service/src/metrics.ts"), "utf8");
  const recorded = rules.map(({ record }) => record);
  for (const { expr } of rules)
    for (const name of expr.match(/\b(?:ballast|bullmq)_\w+|\bqueue:\w+(?::\w+)?/g) ?? [])
      expect(recorded.includes(name) || declared.includes(`"${name}"`), name).toBe(true);
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
