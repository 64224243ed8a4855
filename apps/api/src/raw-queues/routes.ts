import { queueDefinitions } from "@ballast/contracts";
import type { Engine } from "@ballast/jobs";
import { createBullBoard } from "@bull-board/api";
import { type RequestHandler, Router } from "express";
import helmet from "helmet";
import { type Authenticate, type Caller, requireScope } from "../http/caller.ts";
import { Problem } from "../http/problem.ts";
import { BoardServer } from "./board-server.ts";
import { ReadOnlyQueue } from "./read-only-queue.ts";

export const RAW_QUEUES_PATH = "/ops/queues";

/** Counting a huge backlog costs the PostgreSQL engine a tenth of a second, so the page looks less often. */
const LOOK_EVERY_SECONDS = 15;

const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"], // parts of the page make their styles as they are shown
    imgSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    baseUri: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/**
 * The engine's own view of the queues, to read: what is waiting in which order, what a job's options are.
 *
 * For keys of all companies with the scope `operate`, as a bearer token, or as the password a browser asks for.
 */
export function rawQueueRoutes({
  authenticate,
  engine,
  rateLimit,
}: {
  readonly authenticate: Authenticate;
  readonly engine: Pick<Engine, "rawQueue">;
  readonly rateLimit: RequestHandler;
}): Router {
  const server = new BoardServer(RAW_QUEUES_PATH);
  createBullBoard({
    queues: queueDefinitions.map(({ name }) => new ReadOnlyQueue(name, engine)),
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: "Ballast: raw queues",
        hideDocsLink: true,
        hideRedisDetails: true, // where the engine is, is nobody's business here
        showWorkers: false, // asks Redis for every client, a right that we do not demand
        showMetrics: false,
        pollingInterval: { forceInterval: LOOK_EVERY_SECONDS },
        miscLinks: [{ text: "API", url: "/docs" }],
      },
    },
  });

  const known: RequestHandler = async (req, res, next) => {
    res.locals["route"] = RAW_QUEUES_PATH;
    res.locals["caller"] = await caller(authenticate, req.get("authorization"));
    next();
  };
  const allowed: RequestHandler = (req, res, next) => {
    const who = res.locals["caller"] as Caller;
    requireScope(who, "operate");
    if (who.companyId !== null)
      throw new Problem("not-found", "queues belong to all companies, and so must the key");
    if (req.method !== "GET" && req.method !== "HEAD")
      throw new Problem(
        "method-not-allowed",
        "queues are shown here, not changed: see /docs for what an operator can do",
        { headers: { Allow: "GET, HEAD" } },
      );
    next();
  };
  return Router().use(known, rateLimit, allowed, pagePolicy, server.router);
}

/** @throws {Problem} `unauthorized`, upon which a browser asks for a password */
async function caller(authenticate: Authenticate, header: string | undefined): Promise<Caller> {
  try {
    return await authenticate(asBearer(header));
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    throw new Problem("unauthorized", "give an API key as the password, with any user name", {
      headers: { "WWW-Authenticate": 'Basic realm="ballast", charset="UTF-8"' },
    });
  }
}

/** The password of basic credentials is the key. */
function asBearer(header: string | undefined): string | undefined {
  const encoded = /^Basic +(\S{1,500})$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return header;
  const credentials = Buffer.from(encoded, "base64").toString("utf8");
  return `Bearer ${credentials.slice(credentials.indexOf(":") + 1)}`;
}
