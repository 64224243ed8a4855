import { scrubLine } from "../scrub.ts";
import type { EndedSpan, SpanKind } from "./tracer.ts";

/** @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
const KINDS: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS_ERROR = 2;

type Values = Readonly<Record<string, string | number | boolean>>;

/** A span as OTLP writes it, without secrets and mail addresses: it passes the same door as a log line. */
export function spanJson(span: EndedSpan): string {
  const { failure } = span;
  const attributes =
    failure === undefined ? span.attributes : { ...span.attributes, "error.type": failure };
  return scrubLine(
    JSON.stringify({
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      name: span.name,
      kind: KINDS[span.kind],
      startTimeUnixNano: nanos(span.startMs),
      endTimeUnixNano: nanos(span.endMs),
      attributes: keyValues(attributes),
      status: failure === undefined ? {} : { code: STATUS_ERROR, message: failure },
    }),
  );
}

/** What is sent: spans of one process, that says who it is once. */
export const tracesJson = (resource: Values, spans: readonly string[]): string =>
  `{"resourceSpans":[{"resource":{"attributes":${JSON.stringify(keyValues(resource))}},"scopeSpans":[{"scope":{"name":"ballast"},"spans":[${spans.join(",")}]}]}]}`;

const keyValues = (values: Values) =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** As text: a number of nanoseconds since 1970 is past what a JavaScript number holds. */
export function nanos(ms: number): string {
  const whole = Math.floor(ms);
  const fraction = Math.floor((ms - whole) * 1e6);
  return `${whole}${String(fraction).padStart(6, "0")}`;
}
