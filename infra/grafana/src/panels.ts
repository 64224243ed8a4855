import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  type DataTransformerConfig,
  type FieldConfig,
  LegendDisplayMode,
  MappingType,
  type Panel,
  PercentChangeColorMode,
  SortOrder,
  type Threshold,
  ThresholdsMode,
  TooltipDisplayMode,
  type ValueMap,
  type ValueMappingResult,
  VisibilityMode,
  VizOrientation,
} from "@grafana/schema";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.js";
import type { Options as TimelineOptions } from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen.js";
import type { Options as TableOptions } from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.js";
import type {
  FieldConfig as GraphFieldConfig,
  Options as GraphOptions,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.js";
import { PROMETHEUS } from "./data-source.ts";

export interface Query {
  readonly expr: string;
  /** The name of each of its series, e.g. `{{queue}}`; one series needs none. */
  readonly legend?: string;
}

interface Spec {
  readonly title: string;
  /** What the panel tells, for whoever asks its "i". */
  readonly says: string;
  /** Of 24 columns. */
  readonly width: number;
  /** Grafana's id of it, e.g. `s`, `percentunit`, `bytes`; a plain number if absent. */
  readonly unit?: string;
}

/** A panel without its place. */
export interface Placeable {
  readonly width: number;
  readonly height: number;
  readonly panel: Panel;
}

/** One number, coloured by how bad it is. Where nothing is measured it says so, and is not a good 0. */
export function figure(
  spec: Spec & {
    readonly query: string;
    readonly warnAt?: number;
    readonly badAt?: number;
    /** What is shown instead of 0 and of 1. */
    readonly words?: readonly [string, string];
  },
): Placeable {
  const steps: Threshold[] = [{ color: "green", value: null }];
  if (spec.warnAt !== undefined) steps.push({ color: "orange", value: spec.warnAt });
  if (spec.badAt !== undefined) steps.push({ color: "red", value: spec.badAt });
  const isJudged = steps.length > 1;
  const options: StatOptions = {
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    colorMode: isJudged ? BigValueColorMode.Background : BigValueColorMode.None,
    graphMode: BigValueGraphMode.None,
    justifyMode: BigValueJustifyMode.Auto,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    showPercentChange: false,
    textMode: BigValueTextMode.Auto,
    wideLayout: true,
  };
  return place(
    spec,
    4,
    "stat",
    [now(spec.query)],
    { ...options },
    {
      noValue: "unknown",
      thresholds: { mode: ThresholdsMode.Absolute, steps },
      ...(spec.words && { mappings: [worded({ text: spec.words[0] }, { text: spec.words[1] })] }),
    },
  );
}

/** Lines over time. */
export function graph(spec: Spec & { readonly queries: readonly Query[] }): Placeable {
  const custom: GraphFieldConfig = { lineWidth: 1, fillOpacity: 8 };
  const options: GraphOptions = {
    legend: {
      calcs: [],
      displayMode: LegendDisplayMode.List,
      placement: "bottom",
      showLegend: true,
    },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  return place(
    spec,
    8,
    "timeseries",
    spec.queries.map(overTime),
    { ...options },
    {
      min: 0,
      custom: { ...custom },
    },
  );
}

/** Bars over time of what is either 0 or 1. */
export function timeline(
  spec: Spec & {
    readonly query: Query;
    readonly good: string;
    readonly bad: string;
  },
): Placeable {
  const options: TimelineOptions = {
    legend: {
      calcs: [],
      displayMode: LegendDisplayMode.List,
      placement: "bottom",
      showLegend: false,
    },
    mergeValues: true,
    rowHeight: 0.8,
    showValue: VisibilityMode.Auto,
    tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
  };
  return place(
    spec,
    8,
    "state-timeline",
    [overTime(spec.query)],
    { ...options },
    {
      noValue: "unknown",
      mappings: [worded({ text: spec.good, color: "green" }, { text: spec.bad, color: "red" })],
    },
  );
}

/** A row for each series there is now, a column for each of `columns`, its labels. */
export function table(
  spec: Spec & { readonly query: string; readonly columns: readonly string[] },
): Placeable {
  const options: TableOptions = { frameIndex: 0, showHeader: true };
  const transformations: DataTransformerConfig[] = [
    { id: "filterFieldsByName", options: { include: { names: [...spec.columns] } } },
    {
      id: "organize",
      options: { indexByName: Object.fromEntries(spec.columns.map((name, at) => [name, at])) },
    },
  ];
  const query = { ...now(spec.query), format: "table" };
  const placed = place(spec, 8, "table", [query], { ...options }, { noValue: "none" });
  return { ...placed, panel: { ...placed.panel, transformations } };
}

const worded = (zero: ValueMappingResult, one: ValueMappingResult): ValueMap => ({
  type: MappingType.ValueToText,
  options: { "0": zero, "1": one },
});

const now = (expr: string) => ({ expr, instant: true, range: false });
const overTime = ({ expr, legend = "__auto" }: Query) => ({
  expr,
  instant: false,
  range: true,
  legendFormat: legend,
});

function place(
  { title, says, width, unit = "short" }: Spec,
  height: number,
  type: string,
  targets: ReadonlyArray<Readonly<Record<string, unknown>>>,
  options: Record<string, unknown>,
  defaults: FieldConfig,
): Placeable {
  const panel: Panel = {
    type,
    title,
    description: says,
    datasource: PROMETHEUS,
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    options,
    targets: targets.map((target, at) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + at),
      datasource: PROMETHEUS,
      editorMode: "code",
      ...target,
    })),
  };
  return { width, height, panel };
}
