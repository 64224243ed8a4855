import { scrubText } from "../scrub.ts";
import type { Attributes, EndedSpan, SpanKind } from "./tracer.ts";

/** @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
const KINDS: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const STATUS_ERROR = 2;

/** Addresses, parameters and credentials have one of these; ids, codes and hosts do not, and pass unread. */
const MAY_HIDE_SOMETHING = /[@%=\s]/;

/** What is sent: spans of one process, which says who it is once. */
export const tracesJson = (resource: Attributes, spans: readonly EndedSpan[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource) },
        scopeSpans: [{ scope: { name: "ballast" }, spans: spans.map(otlpSpan) }],
      },
    ],
  });

function otlpSpan(span: EndedSpan) {
  const { failure } = span;
  const attributes = keyValues(span.attributes);
  if (failure !== undefined) attributes.push({ key: "error.type", value: anyValue(failure) });
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes,
    status: failure === undefined ? {} : { code: STATUS_ERROR, message: failure },
  };
}

function keyValues(attributes: Attributes) {
  const told = [];
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value !== undefined) told.push({ key, value: anyValue(value) });
  }
  return told;
}

function anyValue(value: string | number | boolean) {
  if (typeof value === "string")
    return { stringValue: MAY_HIDE_SOMETHING.test(value) ? scrubText(value) : value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** As text, to the microsecond: nanoseconds since 1970 are past what a JavaScript number holds. */
export const nanos = (ms: number): string => `${Math.floor(ms * 1_000)}000`;
