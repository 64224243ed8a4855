import type { SpanStart, Tracer } from "../src/tracing.ts";

export interface RecordedSpan extends SpanStart {
  readonly traceparent: string;
  failure: string | undefined;
  isOver: boolean;
}

/** A tracer that keeps what is begun. */
export function recordingTracer(): { tracer: Tracer; spans: readonly RecordedSpan[] } {
  const spans: RecordedSpan[] = [];
  const begin: Tracer["begin"] = (start) => {
    const attributes: Record<string, string | number | boolean | undefined> = {};
    Object.assign(attributes, start.attributes);
    const traceparent = `00-trace-span${spans.length}-01`;
    const span = { ...start, attributes, traceparent, failure: undefined, isOver: false };
    const recorded: RecordedSpan = span;
    spans.push(recorded);
    return {
      traceparent,
      set: (added) => void Object.assign(attributes, added),
      fail: (code) => {
        recorded.failure = code;
      },
      end: () => {
        recorded.isOver = true;
      },
    };
  };
  const tracer: Tracer = {
    begin,
    async within(start, work) {
      const span = begin(start);
      try {
        return await work(span);
      } finally {
        span.end();
      }
    },
  };
  return { tracer, spans };
}
