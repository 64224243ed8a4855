import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../src/checkout.ts";
import { startOwnProcess } from "../src/child-process.ts";
import { findOnPath } from "../src/engine.ts";

type Labels = Readonly<Record<string, string>>;
interface Told {
  readonly labels: Labels;
  readonly receivers: ReadonlyArray<{ readonly name: string }>;
  readonly status: { readonly state: "active" | "suppressed" | "unprocessed" };
}

const SOON = { deadlineMs: 10_000 };

const folder = join(root, "infra/alertmanager");
const configFile = join(folder, "alertmanager.yaml");

/** Debian's name of it, and its own. */
const command = ["prometheus-alertmanager", "alertmanager"].find((name) => findOnPath(name));

/** A real Alertmanager with our configuration, gone again before it would tell anybody. */
async function setup() {
  const stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "ballast-alertmanager-"));
  stack.defer(() => rmSync(dataDir, { recursive: true }));
  const process = await startOwnProcess({
    what: "alertmanager",
    dataDir,
    command: command ?? "",
    args: [
      `--config.file=${configFile}`,
      `--storage.path=${dataDir}`,
      "--cluster.listen-address=",
      "--web.listen-address=127.0.0.1:0", // any free one; it says which
    ],
  });
  stack.defer(() => process.end([["SIGTERM", 10_000]]));
  const listening = () => /msg="?Listening on"?.* address=(\S+)\n/.exec(process.output())?.[1];
  const url = `http://${await until(listening, { what: "the start of alertmanager" })}/api/v2/alerts`;
  const told = async () => (await (await fetch(url)).json()) as readonly Told[];
  return {
    told,
    /** The alerts fire, and once it has seen what follows from what, people hear of these and no others. */
    async expectHeard(alerts: readonly Labels[], heard: readonly Labels[]): Promise<void> {
      const body = JSON.stringify(alerts.map((labels) => ({ labels })));
      await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
      await until(async () => {
        const known = await told();
        const active = known.filter(({ status }) => status.state === "active");
        expect(known).toHaveLength(alerts.length);
        expect(textsOf(active.map(({ labels }) => labels))).toEqual(textsOf(heard));
        return true;
      }, SOON);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const textsOf = (alerts: readonly Labels[]) =>
  alerts.map((labels) => JSON.stringify(Object.entries(labels).toSorted())).toSorted();
const alert = (alertname: string, labels: Labels = {}): Labels => ({ alertname, ...labels });
const store = { kind: "storage", key: "s3:443" };
const shop = { kind: "marketplace", marketplace: "shopify", account: "a1" };
const unreadable = { queue: "marketplace-sync", job: "push-stock", code: "credentials_unreadable" };

test.runIf(command)("what is critical wakes who is on call, and Slack hears of all", async () => {
  await using t = await setup();
  const alerts = [
    alert("OutboxStuck", { severity: "critical" }),
    alert("QueueLagging", { severity: "warning" }),
  ];
  await t.expectHeard(alerts, alerts);
  const receivers = (await t.told()).map((one) => [
    one.labels["severity"],
    ...one.receivers.map(({ name }) => name),
  ]);
  expect(receivers.toSorted()).toEqual([
    ["critical", "pagerduty", "slack"],
    ["warning", "slack"],
  ]);
});

test.runIf(command)(
  "a gate that credentials closed is not told beside them, others are",
  async () => {
    await using t = await setup();
    const refused = [unreadable, store, shop].map((of) => alert("CredentialsFailing", of));
    const others = [
      alert("GateClosed", { ...shop, account: "a2" }),
      alert("GateClosed", { ...store, kind: "smtp" }),
    ];
    const follow = [store, shop].map((of) => alert("GateClosed", of));
    await t.expectHeard([...refused, ...others, ...follow], [...refused, ...others]);
  },
);

test.runIf(command)("that nobody counts queues is not told where the api is missing", async () => {
  await using t = await setup();
  const missing = alert("AppMissing", { app: "api" });
  await t.expectHeard([missing, alert("QueueStateUnknown")], [missing]);
});

test.runIf(command)("what follows from an absent database is not told beside it", async () => {
  await using t = await setup();
  const heard = [
    alert("DatabaseUnreachable"),
    alert("RedisPolicyWrong"),
    // A worker counts no queues.
    alert("AppMissing", { app: "pdf-worker" }),
    alert("QueueStateUnknown"),
    alert("NotReady", { check: "browser" }),
  ];
  const follow = [
    alert("RequestsFailing"),
    alert("QueueLagging", { queue: "pdf" }),
    alert("NotReady", { check: "database" }),
    alert("NotReady", { check: "queue" }), // of which QueueStateUnknown tells
  ];
  await t.expectHeard([...heard, ...follow], heard);
});

interface Config {
  readonly templates: readonly [string];
  readonly receivers: ReadonlyArray<{
    readonly slack_configs?: readonly [{ readonly text: string }];
    readonly pagerduty_configs?: readonly [{ readonly details: { readonly runbook: string } }];
  }>;
}

/** What Slack and PagerDuty read, where this repository is read at `base`. */
function messages(base: string): readonly string[] {
  const config = parse(readFileSync(configFile, "utf8")) as Config;
  const place = mkdtempSync(join(tmpdir(), "ballast-messages-"));
  try {
    const [name] = config.templates;
    const template = readFileSync(join(folder, name), "utf8");
    writeFileSync(
      join(place, name),
      template.replace('{{ define "runbooks" }}', (start) => `${start}${base}`),
    );
    const annotations = { description: "It waits.", runbook_url: "infra/runbooks/OutboxStuck.md" };
    const data = { commonAnnotations: annotations, alerts: [{ annotations }] };
    writeFileSync(join(place, "data.json"), JSON.stringify(data));
    const render = (text: string) =>
      execFileSync(
        "amtool",
        [
          ...["template", "render", `--template.glob=${join(place, name)}`],
          ...[`--template.data=${join(place, "data.json")}`, `--template.text=${text}`],
        ],
        { encoding: "utf8" },
      ).trim();
    return config.receivers.flatMap(({ slack_configs = [], pagerduty_configs = [] }) => [
      ...slack_configs.map(({ text }) => render(text)),
      ...pagerduty_configs.map(({ details }) => render(details.runbook)),
    ]);
  } finally {
    rmSync(place, { recursive: true });
  }
}

test.runIf(findOnPath("amtool"))(
  "a message links to its runbook once told where this repository is read, and names its path until then",
  () => {
    const path = "infra/runbooks/OutboxStuck.md";
    expect(messages("https://git.example.org/erp/")).toEqual([
      `It waits. See https://git.example.org/erp/${path}`,
      `https://git.example.org/erp/${path}`,
    ]);
    expect(messages("")).toEqual([`It waits. See ${path}`, path]);
  },
);
