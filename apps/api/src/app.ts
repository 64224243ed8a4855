import { type Database, findApiKeys, type KeyRing, type Tx } from "@ballast/database";
import type { Dispatcher, Engine, Requests } from "@ballast/jobs";
import type { Telemetry } from "@ballast/service";
import type { ObjectStore } from "@ballast/storage";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import type { Admission } from "./admission.ts";
import { docsRoutes } from "./docs/docs.ts";
import { authentication } from "./http/caller.ts";
import type { Endpoint } from "./http/endpoint.ts";
import { answerErrors } from "./http/errors.ts";
import { mount } from "./http/mount.ts";
import { Problem } from "./http/problem.ts";
import { perKeyRateLimit } from "./http/rate-limit.ts";
import { observeRequests } from "./http/request-log.ts";
import type { JobWatch } from "./jobs/job-watch.ts";
import type { JobWishes } from "./jobs/job-wishes.ts";
import type { RenderWishes } from "./jobs/render-wishes.ts";
import { openApiDocument } from "./openapi.ts";
import { RAW_QUEUES_PATH, rawQueueRoutes } from "./raw-queues/routes.ts";
import { companyRoutes } from "./routes/companies.ts";
import { customerRoutes } from "./routes/customers.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { documentRoutes } from "./routes/documents.ts";
import { incidentRoutes } from "./routes/incidents.ts";
import { invoiceJobRoutes } from "./routes/invoice-jobs.ts";
import { invoiceRunEventRoutes } from "./routes/invoice-run-events.ts";
import { invoiceRunRoutes } from "./routes/invoice-runs.ts";
import { invoiceStepRoutes } from "./routes/invoice-steps.ts";
import { invoiceRoutes } from "./routes/invoices.ts";
import { jobEventRoutes } from "./routes/job-events.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { listingRoutes } from "./routes/listings.ts";
import { marketplaceAccountRoutes } from "./routes/marketplace-accounts.ts";
import { marketplaceWorkRoutes } from "./routes/marketplace-work.ts";
import { productRoutes } from "./routes/products.ts";
import { queueRoutes } from "./routes/queues.ts";
import { reminderRoutes } from "./routes/reminders.ts";
import { replayRoutes } from "./routes/replays.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { stockRoutes } from "./routes/stock.ts";
import { storyRoutes } from "./routes/story.ts";
import type { StockChanges } from "./stock/group-commit.ts";

export interface AppDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly engine: Pick<Engine, "find" | "state" | "remove" | "setPaused" | "rawQueue">;
  readonly documents: Pick<ObjectStore, "get">;
  readonly jobWatch: JobWatch;
  readonly admission: Pick<Admission, "admit">;
  readonly stockChanges: StockChanges;
  readonly renderWishes: RenderWishes;
  readonly jobWishes: JobWishes;
  /** What credentials are encrypted with; without it no marketplace account can be set up. */
  readonly keys?: KeyRing;
  readonly telemetry: Pick<Telemetry, "log" | "metrics" | "stopping" | "tracer">;
  /** Silence of an event stream after which a comment is sent. */
  readonly heartbeatMs?: number;
  readonly limits: {
    /** Per API key and process. */
    readonly requestsPerMinute: number;
    readonly bodyBytes: number;
  };
}

/** 10,000 lines of some 400 bytes: an invoice, and bulk stock, may be this much larger than other bodies. */
const BULK_BODY_FACTOR = 4;

/** Every endpoint of the API, in the order the docs tell them. */
export const endpoints = (deps: AppDeps): Endpoint[] => {
  const bodyLimitBytes = deps.limits.bodyBytes * BULK_BODY_FACTOR;
  return [
    ...companyRoutes(deps),
    ...customerRoutes(deps),
    ...invoiceRoutes({ ...deps, bodyLimitBytes }),
    ...invoiceStepRoutes(deps),
    ...reminderRoutes(deps),
    ...documentRoutes(deps),
    ...invoiceJobRoutes({ ...deps, nudge: () => deps.dispatcher.nudge() }),
    ...invoiceRunRoutes({ ...deps, bodyLimitBytes }),
    ...invoiceRunEventRoutes({ ...deps, stopping: deps.telemetry.stopping }),
    ...jobRoutes(deps),
    ...jobEventRoutes({ ...deps, stopping: deps.telemetry.stopping }),
    ...storyRoutes(deps),
    ...deadLetterRoutes(deps),
    ...incidentRoutes(deps),
    ...deliveryRoutes(deps),
    ...queueRoutes(deps),
    ...replayRoutes(deps),
    ...productRoutes({ ...deps, bodyLimitBytes }),
    ...stockRoutes({ ...deps, bodyLimitBytes }),
    ...marketplaceAccountRoutes(deps),
    ...listingRoutes({ ...deps, bodyLimitBytes }),
    ...marketplaceWorkRoutes(deps),
    ...scheduleRoutes(deps),
  ];
};

/** Build the application; it listens nowhere yet. */
export function createApp(deps: AppDeps): Express {
  const { database, telemetry, limits } = deps;
  const served = endpoints(deps);
  const rateLimit = perKeyRateLimit(limits.requestsPerMinute);
  const { kysely } = database;
  const authenticate = authentication((keys) => findApiKeys(kysely, keys));
  const app = express();
  app.set("query parser", "simple"); // no nested objects made from a query string
  app.set("etag", false); // our answers name their own, where one helps
  app.use(
    observeRequests(telemetry),
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
    }),
    docsRoutes(openApiDocument(served)),
  );
  app.use(RAW_QUEUES_PATH, rawQueueRoutes({ ...deps, authenticate, rateLimit }));
  app.use(
    mount(served, {
      database,
      authenticate,
      bodyLimitBytes: limits.bodyBytes,
      admit: () => deps.admission.admit(),
      rateLimit,
    }),
    noSuchRoute,
    answerErrors(telemetry.log),
  );
  return app;
}

const noSuchRoute: RequestHandler = (req, _res, next) =>
  next(new Problem("no-such-route", `there is no ${req.path.slice(0, 200)} here: see /docs`));
