import type { RequestHandler, Response } from "express";
import { rateLimit } from "express-rate-limit";
import type { Caller } from "./caller.ts";
import { Problem } from "./problem.ts";

/** Where the mount keeps the caller of a request. */
export const callerOf = (res: Response): Caller => res.locals["caller"] as Caller;

/**
 * Limit the requests of each API key per minute, in this process alone: a courtesy among callers,
 * not a quota. Tells what is left by `RateLimit` and `RateLimit-Policy`.
 */
export const perKeyRateLimit = (requestsPerMinute: number): RequestHandler =>
  rateLimit({
    windowMs: 60_000,
    limit: requestsPerMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    identifier: "key",
    keyGenerator: (_req, res) => callerOf(res).id,
    handler: (_req, _res, next, { limit }) =>
      next(
        new Problem("too-many-requests", `this key may send ${String(limit)} requests a minute`),
      ),
  });
