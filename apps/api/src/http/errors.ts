import { isDatabaseAway } from "@ballast/database";
import type { Log } from "@ballast/jobs";
import { StoreUnavailableError } from "@ballast/storage";
import type { ErrorRequestHandler } from "express";
import { Problem, problemBody } from "./problem.ts";
import { traceIdOf } from "./request-trace.ts";

/** Answer every error as `application/problem+json`; what we do not know is told to the log alone. */
export const answerErrors =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, req, res, next) => {
    const problem = asProblem(error);
    if (problem.status >= 500)
      log.error(
        { err: error, method: req.method, path: req.path, traceId: traceIdOf(res) },
        "request failed",
      );
    // Half an answer is out already: all that is left is to cut the connection.
    if (res.headersSent) {
      next(error);
      return;
    }
    const { status, headers, body } = problemAnswer(problem, req.path);
    res
      .status(status)
      .set({ "Cache-Control": "no-store", ...headers })
      .json(body);
  };

/** A refusal as it is sent, and stored under an Idempotency-Key. */
export const problemAnswer = (problem: Problem, path: string) => ({
  status: problem.status,
  headers: { "Content-Type": "application/problem+json", ...problem.headers },
  body: problemBody(problem, path),
});

/** Turn anything thrown into what the caller may read. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const error = (thrown ?? {}) as Partial<HttpError>;
  const ofCaller = ofBodyParser(error);
  if (ofCaller !== undefined) return ofCaller;
  if (thrown instanceof StoreUnavailableError || isDatabaseAway(thrown))
    return new Problem("unavailable", "a store this API depends on does not answer", {
      headers: { "Retry-After": "5" },
      cause: thrown,
    });
  return new Problem("internal-error", "the request failed", { cause: thrown });
}

interface HttpError {
  readonly type: string;
  readonly status: number;
  readonly code: string;
  readonly limit: number;
  readonly message: string;
}

function ofBodyParser(error: Partial<HttpError>): Problem | undefined {
  switch (error.type) {
    case "entity.too.large":
      return new Problem("body-too-large", `the body is larger than ${error.limit} bytes`, {
        errors: [
          {
            path: "(body)",
            message: `must have at most ${error.limit} bytes`,
            ...(error.limit === undefined ? {} : { limit: error.limit }),
          },
        ],
      });
    case "entity.parse.failed":
      return new Problem("malformed-request", `the body is not JSON: ${error.message}`);
    case "encoding.broken":
      return new Problem("malformed-request", "the body is not UTF-8");
    case "encoding.unsupported":
    case "charset.unsupported":
      return new Problem("unsupported-media-type", error.message ?? "unknown encoding");
    default:
      // The router and the parsers mark what is the caller's fault, e.g. `%zz` in an address.
      return error.status !== undefined && error.status >= 400 && error.status < 500
        ? new Problem("malformed-request", "the request cannot be read")
        : undefined;
  }
}
