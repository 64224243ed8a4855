import { AsyncLocalStorage } from "node:async_hooks";
import { nowMs } from "./clock.ts";
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from "./trace-context.ts";

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

/** Ids, codes and counts; never a message, an address or a payload. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** A traceparent; the span that is current if absent, and a trace of its own for what is none. */
  readonly parent?: string | null;
  /** Now if absent. */
  readonly startedAt?: Date;
  readonly attributes?: Attributes;
}

/** One thing that is done, within a trace. */
export interface Span {
  /** What whoever goes on with it is given. */
  readonly traceparent: string;
  rename(name: string): void;
  set(attributes: Attributes): void;
  /** Mark it as failed, by a stable code. */
  fail(code: string): void;
  /** What follows has no effect. */
  end(): void;
}

/** Begins spans, and knows which one the work at hand belongs to. */
export interface Tracer {
  readonly current: Span | undefined;
  begin(start: SpanStart): Span;
  /** Do `work` in a span of its own; what it throws marks the span as failed. */
  within<T>(start: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
}

/** A span that is over. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failure: string | undefined;
}

/**
 * Open a tracer that hands what is over to `ended`.
 *
 * A span whose parent nobody wants to see is not recorded either; of traces that begin here, `share` is.
 */
export function createTracer(options: {
  readonly share: number;
  readonly ended: (span: EndedSpan) => void;
}): Tracer {
  const working = new AsyncLocalStorage<Span>();

  function begin(start: SpanStart): Span {
    const parent =
      start.parent === undefined ? working.getStore()?.traceparent : (start.parent ?? undefined);
    const context = parent === undefined ? undefined : parseTraceparent(parent);
    const isSampled = context?.isSampled ?? Math.random() < options.share;
    const traceId = context?.traceId ?? newTraceId();
    if (isSampled) return new RecordedSpan(start, traceId, context?.spanId, options.ended);
    const spanId = context?.spanId ?? newSpanId();
    return unseenSpan(formatTraceparent({ traceId, spanId, isSampled }));
  }

  return {
    get current() {
      return working.getStore();
    },
    begin,
    async within(start, work) {
      const span = begin(start);
      try {
        return await working.run(span, work, span);
      } catch (error) {
        span.fail(codeOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
  };
}

/** Handed on as it is once it is over: a copy of each would be a good part of what tracing costs. */
class RecordedSpan implements Span, EndedSpan {
  readonly traceId: string;
  readonly spanId = newSpanId();
  readonly parentSpanId: string | undefined;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly attributes: Record<string, string | number | boolean | undefined>;
  readonly #ended: (span: EndedSpan) => void;
  name: string;
  endMs = 0;
  failure: string | undefined = undefined;

  constructor(
    { name, kind, startedAt, attributes }: SpanStart,
    traceId: string,
    parentSpanId: string | undefined,
    ended: (span: EndedSpan) => void,
  ) {
    this.traceId = traceId;
    this.parentSpanId = parentSpanId;
    this.name = name;
    this.kind = kind;
    this.startMs = startedAt?.getTime() ?? nowMs();
    this.attributes = { ...attributes };
    this.#ended = ended;
  }

  get traceparent(): string {
    return formatTraceparent({ traceId: this.traceId, spanId: this.spanId, isSampled: true });
  }

  rename(name: string): void {
    this.name = name;
  }

  set(attributes: Attributes): void {
    Object.assign(this.attributes, attributes);
  }

  fail(code: string): void {
    this.failure = code;
  }

  end(): void {
    if (this.endMs !== 0) return;
    this.endMs = Math.max(this.startMs, nowMs());
    this.#ended(this);
  }
}

const unseenSpan = (traceparent: string): Span => ({
  traceparent,
  rename() {},
  set() {},
  fail() {},
  end() {},
});

/** As metrics name it: an error's stable code, else its class. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "not_an_error";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}
