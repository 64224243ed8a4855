import { cpSync, globSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "@ballast/testing";
import { parse, stringify } from "yaml";
import { root } from "../src/checkout.ts";
import { startOwnProcess } from "../src/child-process.ts";

/** What takes a minute in production takes a second here. */
const TIMES_FASTER = 60;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** A process to be scraped. */
interface Target {
  readonly app: string;
  readonly opsUrl: string;
}
interface Config {
  readonly global: object;
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly [Readonly<Record<string, unknown>>];
}
interface RuleFile {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<{ readonly for?: string }> }>;
}
interface Answer<T> {
  readonly data: T;
}
interface Alert {
  readonly state: "pending" | "firing";
  readonly labels: Readonly<Record<string, string>>;
}

/** A real Prometheus with the rules of `infra/prometheus`, but impatient, that scrapes what it is told to. */
export async function startPrometheus(dataDir: string) {
  const folder = mkdtempSync(join(dataDir, "prometheus-"));
  const targetsFile = join(folder, "targets.json");
  writeConfig(folder, targetsFile);
  const process = await startOwnProcess({
    what: "prometheus",
    dataDir,
    command: "prometheus",
    args: [
      `--config.file=${join(folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0", // any free one; it says which
    ],
  });
  const listening = () => /msg="Listening on".* address=(\S+)\n/.exec(process.output())?.[1];
  const url = `http://${await until(listening, { what: "the start of prometheus" })}`;
  const get = async <T>(path: string): Promise<T> => {
    if (process.hasEnded()) throw new Error(`prometheus ended: ${process.output()}`);
    const answer = await fetch(`${url}${path}`);
    return ((await answer.json()) as Answer<T>).data;
  };
  await until(async () => (await fetch(`${url}/-/ready`)).ok, { what: "prometheus being ready" });
  return {
    /** From now on scrape these and no others. */
    scrape(targets: readonly Target[]): void {
      const groups = targets.map(({ app, opsUrl }) => ({
        targets: [new URL(opsUrl).host],
        labels: { app },
      }));
      writeFileSync(`${targetsFile}.new`, JSON.stringify(groups));
      renameSync(`${targetsFile}.new`, targetsFile);
    },
    /** Each alert that fires, with its queue or app, in the order of the alphabet. */
    async firing() {
      const { alerts } = await get<{ alerts: readonly Alert[] }>("/api/v1/alerts");
      return alerts
        .filter(({ state }) => state === "firing")
        .map(({ labels }) => `${labels["alertname"]} ${labels["queue"] ?? labels["app"]}`)
        .toSorted();
    },
    /** The labels and value of each series that a query answers. */
    async query(expr: string) {
      const { result } = await get<{
        result: ReadonlyArray<{ metric: Record<string, string>; value: [number, string] }>;
      }>(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      return result.map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) }));
    },
    [Symbol.asyncDispose]: () => process.end([["SIGTERM", 10_000]]),
  };
}

/** The files that production has, but for where processes are found, and for their patience. */
function writeConfig(folder: string, targetsFile: string): void {
  const source = join(root, "infra/prometheus");
  for (const part of ["rules", "alerts"])
    cpSync(join(source, part), join(folder, part), { recursive: true });
  for (const file of globSync(join(folder, "alerts/*.yaml"))) {
    const { groups } = parse(readFileSync(file, "utf8")) as RuleFile;
    const impatient = groups.map((group) => ({ ...group, rules: group.rules.map(sooner) }));
    writeFileSync(file, stringify({ groups: impatient }));
  }
  const config = parse(readFileSync(join(source, "prometheus.yaml"), "utf8")) as Config;
  const { dns_sd_configs: _, relabel_configs: __, ...scrape } = config.scrape_configs[0];
  writeFileSync(targetsFile, "[]");
  writeFileSync(
    join(folder, "prometheus.yaml"),
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: config.rule_files,
      scrape_configs: [{ ...scrape, file_sd_configs: [{ files: [targetsFile] }] }],
    }),
  );
}

function sooner<T extends { readonly for?: string }>(rule: T): T {
  if (rule.for === undefined) return rule;
  const [, count, unit = ""] = /^(\d+)([smh])$/.exec(rule.for) ?? [];
  const milliseconds = (Number(count) * (SECONDS[unit] ?? Number.NaN) * 1_000) / TIMES_FASTER;
  return { ...rule, for: `${Math.round(milliseconds)}ms` };
}
