import fc from "fast-check";
import { expect, test } from "vitest";
import { nanos, tracesJson } from "../../src/tracing/otlp.ts";
import type { EndedSpan } from "../../src/tracing/tracer.ts";

const aSpan = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "53995c3f42cd8ad8",
  name: "process send-invoice",
  kind: "consumer",
  startMs: 1_764_000_000_000.25,
  endMs: 1_764_000_000_007,
  attributes: { "ballast.attempt": 2, "ballast.share": 0.5, "ballast.done": true, queue: "email" },
  failure: "smtp_refused",
} as const;

const written = (span: EndedSpan) => {
  const traces = JSON.parse(tracesJson({ "service.name": "api" }, [span, span]));
  return traces.resourceSpans[0].scopeSpans[0].spans[1];
};

test("a span is written as OTLP has it, its times and whole numbers as text", () => {
  expect(written(aSpan)).toEqual({
    traceId: aSpan.traceId,
    spanId: aSpan.spanId,
    parentSpanId: aSpan.parentSpanId,
    name: aSpan.name,
    kind: 5,
    startTimeUnixNano: "1764000000000250000",
    endTimeUnixNano: "1764000000007000000",
    attributes: [
      { key: "ballast.attempt", value: { intValue: "2" } },
      { key: "ballast.share", value: { doubleValue: 0.5 } },
      { key: "ballast.done", value: { boolValue: true } },
      { key: "queue", value: { stringValue: "email" } },
      { key: "error.type", value: { stringValue: "smtp_refused" } },
    ],
    status: { code: 2, message: "smtp_refused" },
  });
});

test("no mail address and no credentials leave with a span", () => {
  const attributes = { to: "anna@example.org", url: "https://user:pass@shop.example/" };
  const span = written({ ...aSpan, attributes });
  expect(JSON.stringify(span)).not.toMatch(/anna|pass/);
  expect(span.attributes[0].value.stringValue).toBe("[mail]");
});

test("a batch says once whose spans it holds, and any text stays JSON", () => {
  const name = 'a "quoted"\n\\ name';
  const batch = JSON.parse(tracesJson({ "service.name": "api" }, [{ ...aSpan, name }]));
  expect(batch.resourceSpans).toMatchObject([
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "api" } }] },
      scopeSpans: [{ spans: [{ name }] }],
    },
  ]);
});

test("a time in nanoseconds is within a microsecond of the one in milliseconds", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 8e12, noNaN: true }), (ms) => {
      const text = nanos(ms);
      expect(text).toMatch(/^\d+$/);
      expect(Math.abs(Number(text) / 1e6 - ms)).toBeLessThan(0.002);
    }),
  );
});
