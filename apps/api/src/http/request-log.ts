import type { Telemetry } from "@ballast/service";
import type { RequestHandler } from "express";
import { beginTrace, endTrace, traceIdOf } from "./request-trace.ts";

/** Count and trace each request, and log one line of it, which never holds a body, a query or a mail address. */
export const observeRequests =
  ({ log, metrics, tracer }: Pick<Telemetry, "log" | "metrics" | "tracer">): RequestHandler =>
  (req, res, next) => {
    const startedAt = performance.now();
    const span = beginTrace(req, res, tracer);
    const path = req.path.slice(0, 200); // a router strips what it matched off `path`
    res.once("close", () => {
      const durationSeconds = (performance.now() - startedAt) / 1_000;
      const method = METHODS.has(req.method) ? req.method : "other";
      const route = String(res.locals["route"] ?? "(none)");
      const status = res.writableFinished ? res.statusCode : CALLER_HUNG_UP;
      if (span) endTrace(span, { method, route, status });
      metrics.httpRequests.inc({ method, route, status: String(status) });
      metrics.httpRequestDuration.observe({ method, route }, durationSeconds);
      log[method === "GET" || method === "HEAD" ? "debug" : "info"](
        {
          method,
          route,
          path,
          status,
          durationMs: Math.round(durationSeconds * 1_000),
          traceId: traceIdOf(res),
          keyId: (res.locals["caller"] as { id?: string } | undefined)?.id,
        },
        "request answered",
      );
    });
    next();
  };

/** Others become one label: a caller may make up methods without end. */
const METHODS = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
/** As nginx counts it. */
const CALLER_HUNG_UP = 499;
