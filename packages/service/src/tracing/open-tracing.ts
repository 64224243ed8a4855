import { hostname } from "node:os";
import { openSpanSender, type TraceLog } from "./span-sender.ts";
import { createTracer, type Tracer } from "./tracer.ts";
import type { TracingConfig } from "./tracing-env.ts";

export interface Tracing extends AsyncDisposable {
  readonly tracer: Tracer;
  /** Send what is over before the process ends without having been told to. */
  flush(deadlineMs: number): Promise<void>;
}

/** Trace what a process does, and tell a collector. */
export function openTracing(
  { endpoint, headers, resource, share }: TracingConfig,
  options: {
    readonly service: string;
    readonly version: string;
    readonly log: TraceLog;
    readonly counted: (result: "sent" | "dropped", count: number) => void;
  },
): Tracing {
  const { service, version, log, counted } = options;
  const sender = openSpanSender({
    endpoint,
    headers,
    log,
    counted,
    resource: {
      "service.namespace": "ballast",
      "service.name": service,
      "service.version": version,
      "service.instance.id": `${hostname()}:${process.pid}`,
      "telemetry.sdk.name": "ballast",
      "telemetry.sdk.language": "nodejs",
      ...resource,
    },
  });
  return {
    tracer: createTracer({ share, ended: (span) => sender.add(span) }),
    flush: (deadlineMs) => sender.flush(deadlineMs),
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  };
}
