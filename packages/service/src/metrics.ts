import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";
import { type Declaration, helpOf, metricList } from "./metric-list.ts";

type Label<D extends Declaration> = D["labels"][number];
interface Made<L extends string> {
  readonly counter: Counter<L>;
  readonly gauge: Gauge<L>;
  readonly histogram: Histogram<L>;
}

/** Every declared metric, under the name of the list. */
export type Metrics = {
  readonly [K in keyof typeof metricList]: Made<
    Label<(typeof metricList)[K]>
  >[(typeof metricList)[K]["type"]];
};

/** Declare every metric of every process on `registry`, besides Node's own (CPU, memory, event-loop lag). */
export function declareMetrics(registry: Registry): Metrics {
  collectDefaultMetrics({ register: registry });
  const made = Object.entries(metricList).map(([key, declared]) => [key, make(declared, registry)]);
  return Object.fromEntries(made) as Metrics;
}

function make(declared: Declaration, registry: Registry): Counter | Gauge | Histogram {
  const common = {
    name: declared.name,
    help: helpOf(declared),
    labelNames: declared.labels,
    registers: [registry],
  };
  switch (declared.type) {
    case "counter":
      return new Counter(common);
    case "histogram":
      return new Histogram({ ...common, buckets: [...(declared.buckets ?? [])] });
    case "gauge": {
      const gauge = new Gauge(common);
      // A gauge without labels starts with a 0: a process that never measures it must not report it.
      if (declared.labels.length === 0) gauge.remove();
      return gauge;
    }
    default:
      return declared.type satisfies never;
  }
}
