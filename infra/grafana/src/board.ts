import {
  type Dashboard,
  DashboardCursorSync,
  type DashboardLink,
  type Panel,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from "@grafana/schema";
import { PROMETHEUS } from "./data-source.ts";
import type { Placeable } from "./panels.ts";

interface Row {
  readonly title: string;
  readonly panels: readonly Placeable[];
}

/** One dashboard, as it is thought of. */
export interface Board {
  /** Ends its address, so links to it stay; and names its file. */
  readonly uid: string;
  readonly title: string;
  readonly says: string;
  /** What can be picked: the values of a label. */
  readonly pick?: ReadonlyArray<{ readonly label: string; readonly of: string }>;
  readonly rows: readonly Row[];
}

const COLUMNS = 24;
/** Of the dashboards of Grafana 12. */
const SCHEMA_VERSION = 42;
const TAG = "ballast";

/** The dashboard as Grafana takes it. */
export const dashboard = (board: Board): Dashboard => ({
  uid: board.uid,
  title: board.title,
  description: board.says,
  tags: [TAG],
  schemaVersion: SCHEMA_VERSION,
  editable: false,
  graphTooltip: DashboardCursorSync.Crosshair,
  refresh: "30s",
  time: { from: "now-3h", to: "now" },
  timezone: "browser",
  links: [toTheOthers],
  annotations: { list: [criticalAlerts] },
  templating: { list: (board.pick ?? []).map(variable) },
  panels: laidOut(board.rows),
});

const toTheOthers: DashboardLink = {
  type: "dashboards",
  title: "Ballast",
  tags: [TAG],
  asDropdown: false,
  icon: "external link",
  includeVars: false,
  keepTime: true,
  targetBlank: false,
  tooltip: "",
  url: "",
};

/** Marks on every graph while somebody is woken. */
const criticalAlerts = {
  name: "critical alerts",
  datasource: PROMETHEUS,
  enable: true,
  iconColor: "red",
  expr: 'max by (alertname, queue) (ALERTS{alertstate="firing", severity="critical"})',
  titleFormat: "{{alertname}} {{queue}}",
  step: "60s",
};

function variable({ label, of }: { readonly label: string; readonly of: string }): VariableModel {
  const query = `label_values(${of}, ${label})`;
  return {
    type: "query",
    name: label,
    label,
    datasource: PROMETHEUS,
    query: { qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    includeAll: false,
    multi: false,
  };
}

/** Panels from left to right, and on the next line where one does not fit; a heading above each row. */
function laidOut(rows: readonly Row[]): Array<Panel | RowPanel> {
  const placed: Array<Panel | RowPanel> = [];
  let y = 0;
  const id = () => placed.length + 1;
  for (const { title, panels } of rows) {
    placed.push({
      type: "row",
      id: id(),
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const { width, height, panel } of panels) {
      if (x + width > COLUMNS) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      placed.push({ ...panel, id: id(), gridPos: { x, y, w: width, h: height } });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return placed;
}
