import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { parse, stringify } from "yaml";
import { type PrometheusGroup, provisionedAlerts } from "./alert-rules.ts";
import { type Board, dashboard } from "./board.ts";
import { marketplaceAccount } from "./boards/marketplace-account.ts";
import { overview } from "./boards/overview.ts";
import { pdfAndMail } from "./boards/pdf-and-mail.ts";
import { queue } from "./boards/queue.ts";

export const boards: readonly Board[] = [overview, queue, marketplaceAccount, pdfAndMail];

/** Every file that is made: its path under this folder, and its text. */
export function madeFiles(): ReadonlyMap<string, string> {
  const dashboards = boards.map((board): [string, string] => [
    `dashboards/${board.uid.replace("ballast-", "")}.json`,
    `${JSON.stringify(dashboard(board), null, 2)}\n`,
  ]);
  return new Map([...dashboards, ["provisioning/alerting/rules.yaml", alertRules()]]);
}

const ALERTS_ARE_MADE =
  "# Made from ../../../prometheus/alerts: node infra/local/launch.mjs infra/grafana/src/generate.ts";

function alertRules(): string {
  const groups = globSync(join(root, "infra/prometheus/alerts/*.yaml"))
    .toSorted()
    .flatMap((file): PrometheusGroup[] => parse(readFileSync(file, "utf8")).groups);
  const rules = stringify(provisionedAlerts(groups), {
    aliasDuplicateObjects: false,
    lineWidth: 0,
  });
  return `${ALERTS_ARE_MADE}\n${rules}`;
}
