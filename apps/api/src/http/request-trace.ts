import type { Span, Tracer } from "@ballast/service";
import type { Request, Response } from "express";

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Place a request in its caller's trace, or at the start of one of its own where this process traces. */
export function beginTrace(
  req: Request,
  res: Response,
  tracer: Tracer | undefined,
): Span | undefined {
  const sent = req.get("traceparent") ?? "";
  const parent = TRACEPARENT.test(sent) ? sent : null;
  const span = tracer?.begin({ name: req.method, kind: "server", parent });
  res.locals["traceparent"] = span?.traceparent ?? parent;
  return span;
}

/** What the work that a request asks for is given. */
export const traceparentOf = (res: Response): string | null =>
  (res.locals["traceparent"] as string | null | undefined) ?? null;

/** For log lines; absent where the caller named no trace and this process has none. */
export const traceIdOf = (res: Response): string | undefined => traceparentOf(res)?.split("-")[1];

/** Tell how a request was answered, and that it is over. */
export function endTrace(
  span: Span,
  {
    method,
    route,
    status,
  }: { readonly method: string; readonly route: string; readonly status: number },
): void {
  span.rename(`${method} ${route}`);
  span.set({
    "http.request.method": method,
    "http.route": route,
    "http.response.status_code": status,
  });
  if (status >= 500) span.fail(String(status)); // a refusal is the caller's failure, not ours
  span.end();
}
