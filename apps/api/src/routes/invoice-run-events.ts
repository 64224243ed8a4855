import { setTimeout as pause } from "node:timers/promises";
import { type Database, findInvoiceRun } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { eventStream, RECONNECT_MS } from "../http/event-stream.ts";
import { notFound, Problem } from "../http/problem.ts";
import { InvoiceRunParams, presentRun } from "./invoice-runs.ts";

interface Deps {
  readonly database: Database;
  /** Aborted when the process was told to stop. */
  readonly stopping: AbortSignal;
  readonly heartbeatMs?: number;
}

/** Counting 50,000 invoices costs some 10 ms, and people see no more of it. */
const EVERY_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** Each counts every second. */
const MAX_STREAMS = 100;

/** Tell of a run's progress as it happens. */
export const invoiceRunEventRoutes = (deps: Deps): Endpoint[] => {
  let streams = 0;
  return [
    read({
      method: "get",
      path: "/v1/invoice-runs/{invoiceRunId}/events",
      operationId: "watchInvoiceRun",
      tag: "Work",
      scope: "read",
      summary: "Follow a run's progress as server-sent events",
      description:
        "An event `run` whenever its counts have changed, at most one a second, with the run as its data. A comment every 15 s. Ends when the run is over.",
      params: InvoiceRunParams,
      query: z.object({}),
      answers: {
        200: {
          description: "The progress.",
          schema: z.string().meta({ example: "event: run\ndata: {…}\n\n" }),
          contentType: "text/event-stream",
        },
      },
      problems: ["not-found", "too-many-requests"],
      async handle({ caller, params: { invoiceRunId }, signal }) {
        const { kysely } = deps.database;
        const load = async () => {
          const run = await findInvoiceRun(kysely, scopeOf(caller), invoiceRunId);
          return run && (await presentRun(kysely, run));
        };
        if ((await load()) === undefined) throw notFound("invoice run", invoiceRunId);
        if (streams >= MAX_STREAMS)
          throw new Problem(
            "too-many-requests",
            `this process serves ${MAX_STREAMS} streams of runs already`,
            { headers: { "Retry-After": "5" } },
          );
        const events = async function* () {
          streams += 1;
          try {
            yield* progress(load, deps, signal);
          } finally {
            streams -= 1;
          }
        };
        return eventStream(events());
      },
    }),
  ];
};

async function* progress(
  load: () => Promise<Awaited<ReturnType<typeof presentRun>> | undefined>,
  { stopping, heartbeatMs = HEARTBEAT_MS }: Deps,
  hungUp: AbortSignal,
): AsyncGenerator<string> {
  const signal = AbortSignal.any([hungUp, stopping]);
  yield `retry: ${RECONNECT_MS}\n\n`;
  let [told, toldAt] = ["", Date.now()];
  while (!signal.aborted) {
    const run = await load();
    if (run === undefined) return; // its retention ended
    const seen = JSON.stringify([run.state, run.counts]);
    if (seen !== told) {
      [told, toldAt] = [seen, Date.now()];
      yield `event: run\ndata: ${JSON.stringify(run)}\n\n`;
    } else if (Date.now() - toldAt >= heartbeatMs) {
      toldAt = Date.now();
      yield ": still here\n\n";
    }
    if (run.finishedAt !== null) {
      yield ": the run is over\n\n";
      return;
    }
    await pause(EVERY_MS, undefined, { signal }).catch(() => {});
  }
  if (stopping.aborted) yield ": this server stops; ask again\n\n";
}
