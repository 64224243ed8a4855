import { randomUUID } from "node:crypto";

/** Where a span stands: in which trace, and whether anybody wants to see it. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @returns `undefined` for what is no traceparent: whoever sent it, the work is done all the same */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, traceId, spanId, flags = ""] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;

/** Random in its last 62 bits, which samplers look at; Node keeps random bytes for UUIDs in store. */
export const newTraceId = (): string => randomUUID().replaceAll("-", "");

export const newSpanId = (): string => newTraceId().slice(16);
