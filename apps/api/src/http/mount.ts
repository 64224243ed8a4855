import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import type { Database, Tx } from "@ballast/database";
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { type Authenticate, type Caller, isAllowed, requireScope } from "./caller.ts";
import type { Answer, Call, Endpoint } from "./endpoint.ts";
import { parseOrRefuse } from "./field-errors.ts";
import { idempotencyKeyOf, idempotently } from "./idempotency.ts";
import { Problem } from "./problem.ts";
import { callerOf } from "./rate-limit.ts";
import { traceparentOf } from "./request-trace.ts";

export interface MountOptions {
  readonly database: Pick<Database, "transaction">;
  readonly authenticate: Authenticate;
  /** Runs once the caller is known. */
  readonly rateLimit: RequestHandler;
  readonly bodyLimitBytes: number;
  /** @throws {Problem} while no new work is taken */
  readonly admit: () => void;
}

/** Serve the endpoints: who asks, may they, is it well formed, do it, answer. */
export function mount(endpoints: readonly Endpoint[], options: MountOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const paths = Map.groupBy(endpoints, ({ path }) => path);
  for (const [path, group] of paths) {
    const route = router.route(path.replaceAll(/\{(\w+)\}/g, ":$1"));
    route.all((_req, res, next) => {
      res.locals["route"] = path; // the metrics' label: one of few, known values
      next();
    });
    for (const endpoint of group) route[endpoint.method](...handlers(endpoint, options));
    const methods = group.map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ");
    route.all((req, _res, next) =>
      next(
        new Problem("method-not-allowed", `${req.method} is not among ${allow}`, {
          headers: { Allow: allow },
        }),
      ),
    );
  }
  return router;
}

function handlers(endpoint: Endpoint, options: MountOptions): RequestHandler[] {
  const { body, bodyOptional = false, asksForWork } = endpoint;
  const known: RequestHandler = async (req, res, next) => {
    res.locals["caller"] = await options.authenticate(req.get("authorization"));
    next();
  };
  const allowed: RequestHandler = (_req, res, next) => {
    requireScope(callerOf(res), endpoint.scope);
    if (asksForWork === true) options.admit(); // before its body is read
    next();
  };
  const run: RequestHandler = async (req, res) => {
    const call = callOf(endpoint, req, res, options.authenticate);
    if (typeof asksForWork === "function" && asksForWork(call.body as never)) options.admit();
    const answer =
      endpoint.method === "get" || endpoint.commitsItself === true
        ? await endpoint.handle(call as Call<never, never, never>)
        : await inTransaction(endpoint, call, req, options);
    answer.committed?.();
    await send(req, res, answer);
  };
  if (body === undefined) return [known, options.rateLimit, allowed, run];
  const json = express.json({
    limit: endpoint.bodyLimitBytes ?? options.bodyLimitBytes,
    verify: refuseBrokenUtf8,
  });
  return [known, options.rateLimit, allowed, json, refuseOtherTypes(bodyOptional), run];
}

/** The parser would put U+FFFD in the place of what it cannot read, and a name would be stored broken. */
function refuseBrokenUtf8(_req: unknown, _res: unknown, body: Buffer, charset: string): void {
  if (charset === "utf-8" && !isUtf8(body))
    throw Object.assign(new Error("the body is not UTF-8"), { type: "encoding.broken" });
}

/** What the JSON parser passed over is either nothing or of another type. */
const refuseOtherTypes =
  (bodyOptional: boolean): RequestHandler =>
  (req, _res, next) => {
    if (req.body !== undefined) return next();
    const empty =
      req.get("transfer-encoding") === undefined && Number(req.get("content-length") ?? 0) === 0;
    if (empty && bodyOptional) req.body = {};
    else if (empty) throw new Problem("malformed-request", "the body is missing: send JSON");
    else
      throw new Problem(
        "unsupported-media-type",
        `the body is ${req.get("content-type") ?? "of no type"}: send application/json`,
      );
    next();
  };

function callOf(endpoint: Endpoint, req: Request, res: Response, authenticate: Authenticate) {
  const hungUp = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) hungUp.abort();
  });
  const params = parseOrRefuse(endpoint.params, req.params, "malformed-request");
  const query = parseOrRefuse(endpoint.query, req.query, "malformed-request");
  const body =
    endpoint.body === undefined
      ? undefined
      : parseOrRefuse(endpoint.body, req.body, "invalid-body");
  const caller: Caller = callerOf(res);
  return {
    caller,
    params,
    query,
    body,
    // Ranges are defined for GET alone (RFC 9110, section 14.2); a HEAD tells of the whole.
    header: (name: string) =>
      req.method === "HEAD" && name === "range" ? undefined : req.get(name),
    traceparent: traceparentOf(res),
    signal: hungUp.signal,
    stillAllowed: () => isAllowed(authenticate, req.get("authorization"), endpoint.scope),
  };
}

function inTransaction(
  endpoint: Extract<Endpoint, { readonly commitsItself?: false }>,
  call: ReturnType<typeof callOf>,
  req: Request,
  { database }: MountOptions,
): Promise<Answer> {
  const work = (tx: Tx) => endpoint.handle({ ...call, tx } as never);
  const key = endpoint.method === "post" ? idempotencyKeyOf(req.get("idempotency-key")) : undefined;
  if (key === undefined)
    return endpoint.together?.(call as Call<never, never, never>) ?? database.transaction(work);
  // The checked body has its fields in the schema's order, so equal requests hash alike.
  const bodyHash = createHash("sha256")
    .update(JSON.stringify(call.body ?? null))
    .digest("hex");
  const { method } = req;
  // With the ids as they were read: in capital letters they are the same.
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String((call.params as Record<string, unknown>)[name]),
  );
  return idempotently(database, { apiKeyId: call.caller.id, key, method, path, bodyHash }, work);
}

async function send(req: Request, res: Response, answer: Answer): Promise<void> {
  res.status(answer.status).set({ "Cache-Control": "private, no-cache", ...answer.headers });
  if (answer.stream === undefined) {
    if (answer.body === undefined) res.end();
    else res.json(answer.body);
    return;
  }
  if (req.method === "HEAD") {
    answer.stream.destroy();
    res.end();
    return;
  }
  // A caller that hangs up ends the stream; that is nobody's error.
  await pipeline(answer.stream, res).catch((error: unknown) => {
    if (!res.destroyed && !res.writableEnded) throw error;
  });
}
