import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { findOnPath, root } from "@ballast/local";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { apps } from "./apps.ts";

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
interface ScrapeConfig {
  readonly job_name: string;
  readonly honor_labels: boolean;
  readonly dns_sd_configs?: ReadonlyArray<{
    readonly names: readonly string[];
    readonly port: number;
  }>;
  readonly relabel_configs: ReadonlyArray<{
    readonly target_label?: string;
    readonly regex?: string;
  }>;
}
interface TestFile {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{
      readonly alertname: string;
      readonly exp_alerts: ReadonlyArray<{ readonly exp_labels: Readonly<Record<string, string>> }>;
    }>;
  }>;
}

const folder = join(root, "infra/prometheus");
const alertmanager = join(root, "infra/alertmanager/alertmanager.yaml");
const files = (pattern: string) => globSync(join(folder, pattern)).toSorted();
const read = <T>(file: string): T => parse(readFileSync(file, "utf8"));
const rules = [...files("rules/*.yaml"), ...files("alerts/*.yaml")]
  .flatMap((file) => read<RuleFile>(file).groups)
  .flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const cases = files("tests/*.yaml")
  .flatMap((file) => read<TestFile>(file).tests)
  .flatMap(({ alert_rule_test }) => alert_rule_test);

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

test("an alert that follows from another has the labels by which that is known", () => {
  const { inhibit_rules } = parse(readFileSync(alertmanager, "utf8")) as {
    inhibit_rules: ReadonlyArray<{
      readonly source_matchers: readonly [string, ...string[]];
      readonly target_matchers: readonly [string];
      readonly equal?: readonly string[];
    }>;
  };
  const labelsOf = ([matcher]: readonly [string, ...string[]]) => {
    const [, pattern = ""] = /^alertname=~?"(.+)"$/.exec(matcher) ?? [];
    return cases
      .filter(({ alertname }) => new RegExp(`^(${pattern})$`).test(alertname))
      .flatMap(({ exp_alerts }) => exp_alerts.map(({ exp_labels }) => Object.keys(exp_labels)));
  };
  for (const { source_matchers, target_matchers, equal = [] } of inhibit_rules) {
    const [sources, targets] = [labelsOf(source_matchers), labelsOf(target_matchers)];
    expect([...sources, ...targets].flat()).toEqual(expect.arrayContaining([...equal]));
    // One that has none of them would be hidden by whatever has none either.
    if (equal.length > 0)
      for (const labels of targets)
        expect(labels.some((label) => equal.includes(label))).toBe(true);
  }
});

test("an app of which no process runs is missed, whichever it is", () => {
  const expr = alerts.find(({ alert }) => alert === "AppMissing")?.expr ?? "";
  const missed = [...expr.matchAll(/absent\(up\{job="ballast", app="([a-z-]+)"\}\)/g)];
  expect(missed.map(([, app]) => app).sort()).toEqual(apps.map(({ name }) => name).sort());
});

test("everybody scrapes so that rules find their labels", () => {
  for (const file of ["prometheus.yaml", "kubernetes.yaml"]) {
    const { scrape_configs } = read<{
      scrape_configs: readonly ScrapeConfig[];
    }>(join(folder, file));
    for (const { job_name, honor_labels, relabel_configs } of scrape_configs) {
      expect({ job_name, honor_labels }).toEqual({ job_name: "ballast", honor_labels: true });
      expect(relabel_configs.map(({ target_label }) => target_label)).toContain("app");
    }
  }
});

test("every app is looked for by its name, on the port where its image answers", () => {
  const { scrape_configs } = read<{ scrape_configs: readonly [ScrapeConfig] }>(
    join(folder, "prometheus.yaml"),
  );
  const [{ dns_sd_configs = [] }] = scrape_configs;
  const found = dns_sd_configs.flatMap(({ names, port }) => names.map((name) => [name, port]));
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(apps.map(({ name, ports }) => [name, ports.ops])),
  );
});

test.each(["api", "tasks.api"])("the app behind the name %s is api", (name) => {
  const { scrape_configs } = read<{ scrape_configs: readonly [ScrapeConfig] }>(
    join(folder, "prometheus.yaml"),
  );
  const [{ relabel_configs }] = scrape_configs;
  const { regex = "(.*)" } = relabel_configs.find((one) => one.target_label === "app") ?? {};
  expect(new RegExp(`^(?:${regex})$`).exec(name)?.[1]).toBe("api");
});

test.runIf(findOnPath("promtool"))("promtool takes the rules, and their tests hold", () => {
  const promtool = (...args: string[]) => execFileSync("promtool", args, { encoding: "utf8" });
  expect(promtool("check", "config", join(folder, "prometheus.yaml"))).toContain("SUCCESS");
  expect(promtool("test", "rules", ...files("tests/*.yaml"))).not.toContain("FAILED");
});

test.runIf(findOnPath("amtool"))("amtool takes Alertmanager's configuration", () => {
  const said = execFileSync("amtool", ["check-config", alertmanager], { encoding: "utf8" });
  expect(said).toContain("SUCCESS");
});

test.runIf(findOnPath("promtool"))("promtool takes how pods are found in Kubernetes", () => {
  // Debian builds promtool without Kubernetes' discovery: all but that is judged.
  const config = readFileSync(join(folder, "kubernetes.yaml"), "utf8");
  const judged = config.replace(/ {4}kubernetes_sd_configs:\n( {6}.*\n)+/, "");
  expect(judged).not.toBe(config);
  const place = mkdtempSync(join(tmpdir(), "ballast-scrape-"));
  try {
    writeFileSync(join(place, "kubernetes.yaml"), judged);
    const said = execFileSync("promtool", ["check", "config", join(place, "kubernetes.yaml")], {
      encoding: "utf8",
    });
    expect(said).toContain("SUCCESS");
  } finally {
    rmSync(place, { recursive: true });
  }
});
