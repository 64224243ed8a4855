import { PROMETHEUS } from "./data-source.ts";

/** An alert as Prometheus' files have it; a duration is `2m`. */
export interface PrometheusAlert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
export interface PrometheusGroup {
  readonly name: string;
  readonly rules: readonly PrometheusAlert[];
}

/** Grafana's name for what runs an expression on the answer of a query. */
const EXPRESSION = { type: "__expr__", uid: "__expr__" } as const;
const FOLDER = "Ballast";
/** Grafana evaluates in steps of ten seconds, which those of Prometheus are not. */
const EVALUATED_EVERY = "30s";
/** Queries look at now; Grafana insists on a range. */
const RANGE_SECONDS = { from: 600, to: 0 } as const;

/** The groups as a file under `provisioning/alerting` has them. */
export const provisionedAlerts = (groups: readonly PrometheusGroup[]): object => ({
  apiVersion: 1,
  groups: groups.map(({ name, rules }) => ({
    orgId: 1,
    name,
    folder: FOLDER,
    interval: EVALUATED_EVERY,
    rules: rules.map(provisioned),
  })),
});

/**
 * An alert that fires in Grafana when it does in Prometheus: while its query answers anything, be it a 0.
 *
 * Three steps as in Grafana's own import: the query, 1 for whatever it answers, and whether that is above 0. A rule
 * without an answer is well; a series that is gone resolves at once, as in Prometheus.
 */
export const provisioned = (rule: PrometheusAlert): object => ({
  uid: `ballast-${rule.alert}`,
  title: rule.alert,
  condition: "fires",
  data: [
    {
      refId: "query",
      datasourceUid: PROMETHEUS.uid,
      relativeTimeRange: RANGE_SECONDS,
      model: {
        refId: "query",
        datasource: PROMETHEUS,
        expr: rule.expr,
        instant: true,
        range: false,
      },
    },
    expression("answers", {
      type: "math",
      expression: "is_number($query) || is_nan($query) || is_inf($query)",
    }),
    expression("fires", {
      type: "threshold",
      expression: "answers",
      conditions: [{ evaluator: { type: "gt", params: [0] } }],
    }),
  ],
  noDataState: "OK",
  execErrState: "Error",
  for: rule.for ?? "0s",
  missing_series_evals_to_resolve: 1,
  labels: rule.labels,
  annotations: Object.fromEntries(
    Object.entries(rule.annotations).map(([name, text]) => [named(name), worded(text)]),
  ),
});

const expression = (refId: string, model: Readonly<Record<string, unknown>>) => ({
  refId,
  queryType: model["type"],
  datasourceUid: EXPRESSION.uid,
  relativeTimeRange: RANGE_SECONDS,
  model: { refId, datasource: EXPRESSION, ...model },
});

/** Grafana makes a link of each `runbook_url`, and a path would lead to a page of its own that is not there. */
const named = (annotation: string): string =>
  annotation === "runbook_url" ? "runbook" : annotation;

/** In Grafana `$value` is a text of all steps; the query's number is under its name. */
const worded = (text: string): string => text.replaceAll("$value", "$values.query.Value");
