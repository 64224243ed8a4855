import { startHttpRecorder } from "./http-recorder.ts";
import { until } from "./until.ts";

/** A span as it came in, its attributes read. */
export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The status' message, where it is an error. */
  readonly failure: string | undefined;
}

export interface TraceCollector extends AsyncDisposable {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT would be. */
  readonly url: string;
  spans(): CollectedSpan[];
  /** Resolves with all spans once each of `names` is among them. */
  waitFor(names: readonly string[], deadlineMs?: number): Promise<CollectedSpan[]>;
}

/** Start a collector of traces that reads OTLP over HTTP with JSON, and keeps all it is sent. */
export async function startTraceCollector(): Promise<TraceCollector> {
  const recorder = await startHttpRecorder({ kind: "answer", status: 200, body: {} });
  const spans = () =>
    recorder.requests
      .filter(({ path, method }) => method === "POST" && path === "/v1/traces")
      .flatMap(({ json }) => (json as Traces).resourceSpans)
      .flatMap(({ resource, scopeSpans }) => {
        const service = String(valuesOf(resource.attributes)["service.name"]);
        return scopeSpans.flatMap((scope) => scope.spans.map((span) => collected(service, span)));
      });
  return {
    url: recorder.url,
    spans,
    waitFor: (names, deadlineMs = 60_000) =>
      until(
        async () => {
          const all = spans();
          return names.every((name) => all.some((span) => span.name === name)) ? all : undefined;
        },
        { deadlineMs, what: `spans ${names.join(", ")}` },
      ),
    [Symbol.asyncDispose]: () => recorder[Symbol.asyncDispose](),
  };
}

interface KeyValue {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: string;
    readonly doubleValue?: number;
    readonly boolValue?: boolean;
  };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Traces {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: ReadonlyArray<{ readonly spans: readonly OtlpSpan[] }>;
  }>;
}

const collected = (service: string, span: OtlpSpan): CollectedSpan => ({
  service,
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId,
  name: span.name,
  kind: span.kind,
  startNs: BigInt(span.startTimeUnixNano),
  endNs: BigInt(span.endTimeUnixNano),
  attributes: valuesOf(span.attributes),
  failure: span.status.code === 2 ? span.status.message : undefined,
});

const valuesOf = (attributes: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        value.boolValue ??
        (value.intValue === undefined ? value.doubleValue : Number(value.intValue)),
    ]),
  );
