import { type AnyJob, drill, jobContracts, renderInvoice } from "@ballast/contracts";
import {
  cancelRequest,
  type Database,
  findJobRequest,
  findQueuePause,
  findShutGate,
  type JobRequestView,
  listJobRequests,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Engine, Requests } from "@ballast/jobs";
import { z } from "zod";
import { accepted } from "../http/accepted.ts";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Call, type Endpoint, read, write } from "../http/endpoint.ts";
import { parseOrRefuse, refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import { peekEngine } from "../jobs/engine-peek.ts";
import { heal } from "../jobs/heal.ts";
import type { JobWish, JobWishes } from "../jobs/job-wishes.ts";
import { remotesOf } from "../jobs/remotes-of.ts";
import { whyWaits } from "../jobs/why-waits.ts";
import {
  AcceptedBody,
  acceptedHeaders,
  JobBody,
  JobListBody,
  JobState,
  jobBody,
  jobSummaryBody,
  StandaloneInput,
} from "../schemas/job.ts";
import { given, paging } from "../schemas/paging.ts";
import { line, uuid } from "../schemas/text.ts";

export const JobParams = z.object({ requestId: uuid("The request, as `Location` named it") });

export interface JobDeps {
  readonly database: Database;
  readonly engine: Pick<Engine, "find" | "state" | "remove">;
}

interface Deps extends JobDeps {
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly jobWishes: JobWishes;
}

/** Everything there is to say about a job, with why it waits. */
export const presentJob = async (request: JobRequestView, { database, engine }: JobDeps) =>
  jobBody(
    request,
    await whyWaits(request, {
      engine: (run) => peekEngine(engine, run),
      pdfJob: ({ companyId, subject }) => newestPdfJob(database, companyId, subject),
      pause: ({ queue }) => findQueuePause(database.kysely, queue),
      gate: (run) => findShutGate(database.kysely, remotesOf(run)),
    }),
  );

async function newestPdfJob(database: Database, companyId: string | null, subject: string | null) {
  if (companyId === null || subject === null) return undefined;
  const filter = { queue: renderInvoice.queue.name, subject, limit: 1 };
  return (await listJobRequests(database.kysely, companyId, filter)).requests[0];
}

/** What may be asked for by its name, and what a request for it holds: a schema is compiled at its first use. */
const standalone = jobContracts
  .filter((job) => job.standalone)
  .map((job: AnyJob) => ({ job, input: z.object({ payload: job.payload }) }));

/** @throws {Problem} `invalid-body`, naming those that exist */
function standaloneJob(name: string): (typeof standalone)[number] {
  const known = standalone.find(({ job }) => job.name === name);
  if (known !== undefined) return known;
  const names = standalone.map(({ job }) => job.name).join(", ");
  throw refusal("invalid-body", [{ path: "job", message: `must be one of: ${names}` }]);
}

/** No service works there: what one company puts in would stay, and fill the engine for all. */
const FOR_ALL_COMPANIES_ONLY: ReadonlySet<string> = new Set([drill.name]);

/** @throws {Problem} `invalid-body`, `all-companies-only` */
function wishOf({
  caller,
  body,
  traceparent,
}: Call<unknown, unknown, z.output<typeof StandaloneInput>>): JobWish {
  const { job, input } = standaloneJob(body.job);
  if (caller.companyId !== null && FOR_ALL_COMPANIES_ONLY.has(job.queue.name))
    throw new Problem(
      "all-companies-only",
      `${job.name} is of queue ${job.queue.name}, where no service works: ask an operator with a key of all companies`,
    );
  const { payload } = parseOrRefuse(input, body, "invalid-body");
  return {
    job,
    payload,
    companyId: caller.companyId,
    requestedBy: requestedBy(caller),
    traceparent,
    ...(body.dueAt === undefined ? {} : { dueAt: body.dueAt }),
  };
}

/** Ask for work, follow it and take it back. */
export const jobRoutes = (deps: Deps): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/jobs",
    operationId: "listJobs",
    tag: "Jobs",
    scope: "read",
    summary: "List jobs, newest first",
    params: z.object({}),
    query: z.strictObject({
      subject: line(200).optional().meta({
        description: "What it is about.",
        example: "invoice:0190c1a2-0000-7000-8000-0000000000a1",
      }),
      queue: line(100).optional().meta({ example: "pdf" }),
      state: JobState.optional(),
      since: z.iso
        .datetime({ offset: true })
        .transform((text) => new Date(text))
        .optional()
        .meta({
          description: "Asked for then or later.",
          override: { type: "string", format: "date-time" },
        }),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: JobListBody } },
    problems: [],
    async handle({ caller, query }) {
      const page = await listJobRequests(deps.database.kysely, scopeOf(caller), given(query));
      return {
        status: 200,
        body: { jobs: page.requests.map(jobSummaryBody), nextCursor: page.nextCursor },
      };
    },
  }),

  write({
    method: "post",
    path: "/v1/jobs",
    operationId: "askForJob",
    asksForWork: true,
    tag: "Jobs",
    scope: "write",
    summary: "Ask for a job by its name",
    description: `For jobs that need no business change: ${standalone.map(({ job }) => job.name).join(", ")}. All others are asked for where they belong, e.g. \`POST /v1/invoices/{invoiceId}/pdf\`.`,
    params: z.object({}),
    query: z.object({}),
    body: StandaloneInput,
    example: { job: "echo", payload: { id: "1" } },
    answers: { 202: { description: "Asked for.", schema: AcceptedBody, headers: acceptedHeaders } },
    problems: ["all-companies-only"],
    async together(call) {
      const wish = wishOf(call);
      return accepted({ ...(await deps.jobWishes(wish)), job: wish.job.name });
    },
    async handle({ tx, ...call }) {
      const { job, payload, ...wish } = wishOf(call);
      const asked = await deps.requests.ask(tx, job, payload, wish);
      return { ...accepted({ ...asked, job: job.name }), committed: () => deps.dispatcher.nudge() };
    },
  }),

  read({
    method: "get",
    path: "/v1/jobs/{requestId}",
    operationId: "getJob",
    tag: "Jobs",
    scope: "read",
    summary: "Read a job: state, attempts, progress, result, and why it waits",
    params: JobParams,
    query: z.object({}),
    answers: { 200: { description: "The job.", schema: JobBody } },
    problems: ["not-found"],
    async handle({ caller, params: { requestId } }) {
      const look = () => findJobRequest(deps.database.kysely, requestId, scopeOf(caller));
      let request = await look();
      if (request !== undefined && (await heal(request, deps))) request = await look();
      if (request === undefined) throw notFound("job", requestId);
      return { status: 200, body: await presentJob(request, deps) };
    },
  }),

  write({
    method: "delete",
    path: "/v1/jobs/{requestId}",
    operationId: "cancelJob",
    tag: "Jobs",
    scope: "write",
    summary: "Take a job back",
    description:
      "One that waits is over at once. One that runs is aborted by its worker within a second, unless it is inside a step that cannot be undone. Where others asked for the same run, it goes on for them.",
    params: JobParams,
    query: z.object({}),
    answers: {
      200: { description: "Cancelled.", schema: JobBody },
      202: { description: "Its worker was told to stop: follow the job.", schema: JobBody },
    },
    problems: ["not-found", "job-over"],
    async handle({ caller, params: { requestId }, tx }) {
      const scope = scopeOf(caller);
      const cancellation = await cancelRequest(tx, requestId, scope);
      if (cancellation === undefined) throw notFound("job", requestId);
      if (cancellation.kind === "over")
        throw new Problem(
          "job-over",
          `job ${requestId} is ${cancellation.state}: nothing is left to cancel`,
        );
      const request = await findJobRequest(tx, requestId, scope);
      if (request === undefined) throw notFound("job", requestId);
      const stale = cancellation.kind === "cancelled" ? cancellation.engineJob : null;
      return {
        status: cancellation.kind === "cancelling" ? 202 : 200,
        body: await presentJob(request, deps),
        // Best effort: a copy that stays is settled unrun when a worker starts it.
        committed: () => {
          if (stale !== null) deps.engine.remove(stale.queue, stale.id).catch(() => {});
        },
      };
    },
  }),
];
