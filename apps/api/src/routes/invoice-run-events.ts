import { setTimeout as pause } from "node:timers/promises";
import { type Database, findInvoiceRun } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { eventStreams, KEY_ENDED, RECONNECT_MS } from "../http/event-stream.ts";
import { notFound } from "../http/problem.ts";
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
  const answerWith = eventStreams(MAX_STREAMS);
  return [
    read({
      method: "get",
      path: "/v1/invoice-runs/{invoiceRunId}/events",
      operationId: "watchInvoiceRun",
      tag: "Work",
      scope: "read",
      summary: "Follow a run's progress as server-sent events",
      description:
        "An event `run` whenever its counts have changed, at most one a second, with the run as its data. A comment every 15 s. Ends when the run is over or the key is revoked.",
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
      async handle({ caller, params: { invoiceRunId }, signal, stillAllowed }) {
        const { kysely } = deps.database;
        const load = async () => {
          const run = await findInvoiceRun(kysely, scopeOf(caller), invoiceRunId);
          return run && (await presentRun(kysely, run));
        };
        if ((await load()) === undefined) throw notFound("invoice run", invoiceRunId);
        return answerWith(caller.id, progress({ deps, load, hungUp: signal, stillAllowed }));
      },
    }),
  ];
};

interface Progress {
  readonly deps: Deps;
  readonly load: () => Promise<Awaited<ReturnType<typeof presentRun>> | undefined>;
  readonly hungUp: AbortSignal;
  readonly stillAllowed: () => Promise<boolean>;
}

async function* progress({ deps, load, hungUp, stillAllowed }: Progress): AsyncGenerator<string> {
  const { stopping, heartbeatMs = HEARTBEAT_MS } = deps;
  const signal = AbortSignal.any([hungUp, stopping]);
  yield `retry: ${RECONNECT_MS}\n\n`;
  let [told, toldAt] = ["", Date.now()];
  while (!signal.aborted) {
    const run = await load();
    if (run === undefined) return; // its retention ended
    const seen = JSON.stringify([run.state, run.counts]);
    const isNew = seen !== told;
    if (isNew || Date.now() - toldAt >= heartbeatMs) {
      if (!(await stillAllowed())) {
        yield KEY_ENDED;
        return;
      }
      [told, toldAt] = [seen, Date.now()];
      yield isNew ? `event: run\ndata: ${JSON.stringify(run)}\n\n` : ": still here\n\n";
    }
    if (run.finishedAt !== null) {
      yield ": the run is over\n\n";
      return;
    }
    await pause(EVERY_MS, undefined, { signal }).catch(() => {});
  }
  if (stopping.aborted) yield ": this server stops; ask again\n\n";
}
