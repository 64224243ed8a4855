import { findJobRequest } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { eventStream, RECONNECT_MS } from "../http/event-stream.ts";
import { notFound, Problem } from "../http/problem.ts";
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
  let streams = 0;
  return [
    read({
      method: "get",
      path: "/v1/jobs/{requestId}/events",
      operationId: "watchJob",
      tag: "Jobs",
      scope: "read",
      summary: "Follow a job's changes as server-sent events",
      description:
        "An event `job` per change, with the job as its data and the number of the change as its id; the current state comes first, unless `Last-Event-ID` names it. A comment every 15 s. Ends when the job is over; asked again after that, `204` tells an EventSource to stop.",
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
      async handle({ caller, params: { requestId }, header, signal }) {
        const scope = scopeOf(caller);
        const load = () => findJobRequest(deps.database.kysely, requestId, scope);
        const current = await load();
        if (current === undefined) throw notFound("job", requestId);
        const known = changeNoOf(header("last-event-id"));
        if (isOver(current) && current.run.changeNo <= known) return { status: 204 };
        if (streams >= MAX_STREAMS)
          throw new Problem(
            "too-many-requests",
            `this process serves ${MAX_STREAMS} streams already`,
            {
              headers: { "Retry-After": "5" },
            },
          );

        const events = async function* () {
          streams += 1;
          try {
            yield* changes({ deps, load, known, runId: current.run.id, hungUp: signal });
          } finally {
            streams -= 1;
          }
        };
        return eventStream(events());
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
}

async function* changes({ deps, load, known, runId, hungUp }: Changes): AsyncGenerator<string> {
  const { jobWatch, stopping, heartbeatMs = HEARTBEAT_MS } = deps;
  const signal = AbortSignal.any([hungUp, stopping]);
  using watching = jobWatch.watch(runId, known);
  yield `retry: ${RECONNECT_MS}\n\n`;
  while (!signal.aborted) {
    if (!(await watching.changed(heartbeatMs, signal))) {
      if (signal.aborted) continue;
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
