import { findJobRequest } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { eventStreams, KEY_ENDED, RECONNECT_MS } from "../http/event-stream.ts";
import { notFound } from "../http/problem.ts";
import { heal } from "../jobs/heal.ts";
import type { JobWatch } from "../jobs/job-watch.ts";
import { isOver } from "../schemas/job.ts";
import { type JobDeps, JobParams, presentJob } from "./jobs.ts";

interface Deps extends JobDeps {
  readonly jobWatch: JobWatch;
  /** Aborted when the process was told to stop. */
  readonly stopping: AbortSignal;
  readonly heartbeatMs?: number;
}

/** Keeps proxies from taking silence for death. */
const HEARTBEAT_MS = 15_000;
/** Each costs a socket and a query per change. */
const MAX_STREAMS = 1_000;

/** Tell of a job's changes as they happen. */
export const jobEventRoutes = (deps: Deps): Endpoint[] => {
  const answerWith = eventStreams(MAX_STREAMS);
  return [
    read({
      method: "get",
      path: "/v1/jobs/{requestId}/events",
      operationId: "watchJob",
      tag: "Jobs",
      scope: "read",
      summary: "Follow a job's changes as server-sent events",
      description:
        "An event `job` per change, with the job as its data and the number of the change as its id; the current state comes first, unless `Last-Event-ID` names it. A comment every 15 s. Ends when the key is revoked, or the job is over; asked again after that, `204` tells an EventSource to stop.",
      params: JobParams,
      query: z.object({}),
      answers: {
        200: {
          description: "The changes.",
          schema: z.string().meta({ example: "id: 42\nevent: job\ndata: {…}\n\n" }),
          contentType: "text/event-stream",
        },
        204: { description: "The job is over, and `Last-Event-ID` says that the caller knows." },
      },
      problems: ["not-found", "too-many-requests"],
      async handle({ caller, params: { requestId }, header, signal, stillAllowed }) {
        const scope = scopeOf(caller);
        const load = () => findJobRequest(deps.database.kysely, requestId, scope);
        const current = await load();
        if (current === undefined) throw notFound("job", requestId);
        const known = changeNoOf(header("last-event-id"));
        if (isOver(current) && current.run.changeNo <= known) return { status: 204 };
        const runId = current.run.id;
        const events = changes({ deps, load, known, runId, hungUp: signal, stillAllowed });
        return answerWith(caller.id, events);
      },
    }),
  ];
};

interface Changes {
  readonly deps: Deps;
  readonly load: () => ReturnType<typeof findJobRequest>;
  readonly known: number;
  readonly runId: string;
  readonly hungUp: AbortSignal;
  readonly stillAllowed: () => Promise<boolean>;
}

async function* changes(watched: Changes): AsyncGenerator<string> {
  const { deps, load, known, runId, hungUp, stillAllowed } = watched;
  const { jobWatch, stopping, heartbeatMs = HEARTBEAT_MS } = deps;
  const signal = AbortSignal.any([hungUp, stopping]);
  using watching = jobWatch.watch(runId, known);
  yield `retry: ${RECONNECT_MS}\n\n`;
  while (!signal.aborted) {
    const hasChanged = await watching.changed(heartbeatMs, signal);
    if (signal.aborted) break;
    if (!(await stillAllowed())) {
      yield KEY_ENDED;
      return;
    }
    if (!hasChanged) {
      yield ": still here\n\n";
      const quiet = await load();
      if (quiet !== undefined) await heal(quiet, deps); // what that writes is the next change
      continue;
    }
    const job = await load();
    if (job === undefined) return; // its retention ended
    const data = JSON.stringify(await presentJob(job, deps));
    yield `id: ${job.run.changeNo}\nevent: job\ndata: ${data}\n\n`;
    if (isOver(job)) {
      yield ": the job is over\n\n";
      return;
    }
  }
  if (stopping.aborted) yield ": this server stops; ask again\n\n";
}

/** Anything that is no change number of ours counts as none: the caller then gets the current state. */
const changeNoOf = (header: string | undefined): number =>
  header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : -1;
