/** Ids, codes and counts; never a message, an address or a payload. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** One thing that is done, within a trace. */
export interface Span {
  /** As W3C Trace Context writes it; what whoever goes on with the work is given. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** Mark it as failed, by a stable code. */
  fail(code: string): void;
  end(): void;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: "internal" | "client" | "producer" | "consumer";
  /** A traceparent; the span that is current if absent, and a trace of its own if `null`. */
  readonly parent?: string | null;
  readonly startedAt?: Date;
  readonly attributes?: Attributes;
}

/** Who begins spans; `@ballast/service` fits, and so does a few lines around a tracer of OpenTelemetry. */
export interface Tracer {
  begin(start: SpanStart): Span;
  /** Do `work` in a span of its own; what it throws marks the span as failed. */
  within<T>(start: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
}

/** Do `work` in a span, or as it is where nothing is traced; `start` is only asked for where it is needed. */
export const traced = <T>(
  tracer: Tracer | undefined,
  start: () => SpanStart,
  work: (span?: Span) => Promise<T>,
): Promise<T> => (tracer === undefined ? work() : tracer.within(start(), work));

/** The trace that a traceparent names, for log lines. */
export const traceIdOf = (traceparent: string | null | undefined): string | undefined =>
  traceparent?.split("-")[1];
