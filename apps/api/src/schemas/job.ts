import type { JobRequestSummary, JobRequestView, RunState } from "@ballast/database";
import { z } from "zod";
import type { Wait } from "../jobs/why-waits.ts";
import { line, moment, uuid } from "./text.ts";

export const JobState = z.enum(["waiting", "started", "completed", "dead", "cancelled"]);

export const asked = {
  requestId: uuid("The job: `/v1/jobs/{requestId}`"),
  runId: uuid("The work that fulfils it; several requests may share one"),
  job: z.string().meta({ example: "render-invoice" }),
  joined: z.boolean().meta({ description: "Whether a run that waited already took this wish in." }),
};

export const AcceptedBody = z.object(asked).meta({ id: "Accepted" });

export const acceptedHeaders = { Location: "Where to follow the job: `/v1/jobs/{requestId}`." };

/** A leap year: what is due later than that is a slip, and its row would stay as long. */
const DUE_WITHIN_MS = 366 * 86_400_000;

export const StandaloneInput = z
  .strictObject({
    job: line(200).meta({ example: "echo" }),
    payload: z.record(z.string(), z.unknown()).meta({ description: "As its contract has it." }),
    dueAt: z.iso
      .datetime({ offset: true })
      .transform((text) => new Date(text))
      .refine((at) => at.getTime() <= Date.now() + DUE_WITHIN_MS, "must be within a year from now")
      .optional()
      .meta({
        description: "Not started before then; within a year.",
        override: { type: "string", format: "date-time" },
      }),
  })
  .meta({ id: "StandaloneInput" });

export const MailAcceptedBody = z
  .object({
    ...asked,
    repeated: z
      .boolean()
      .meta({ description: "Whether this is the answer of an earlier request." }),
    mail: z.object({
      deliveryId: uuid("The mail in the ledger"),
      recipient: z.string(),
      ordinal: z.int().positive(),
      state: z.enum(["planned", "sending", "sent", "rejected", "unknown", "suppressed"]),
    }),
  })
  .meta({ id: "MailAccepted" });

export const ResendInput = z
  .strictObject({
    resend: z.boolean().default(false),
    reason: line(300).optional().meta({ description: "Needed to send again; kept in the ledger." }),
  })
  .transform(({ resend, reason }, ctx) => {
    if (resend && reason !== undefined) return { resend: true as const, reason };
    if (!resend && reason === undefined) return { resend: false as const };
    ctx.issues.push({
      code: "custom",
      input: undefined,
      path: [resend ? "reason" : "resend"],
      message: resend
        ? "is missing: say why it is sent again"
        : "must be true where a reason is given",
    });
    return z.NEVER;
  })
  .meta({ id: "ResendInput", examples: [{}, { resend: true, reason: "customer lost it" }] });

const summary = {
  ...asked,
  queue: z.string(),
  subject: z.string().nullable().meta({ example: "invoice:0190c1a2-0000-7000-8000-0000000000a1" }),
  companyId: z.string().nullable(),
  state: JobState,
  requestedBy: z.string().nullable(),
  requestedAt: moment,
  dueAt: moment.nullable(),
  deadlineAt: moment.meta({ description: "After this it is no longer attempted." }),
  startedAt: moment.nullable(),
  finishedAt: moment.nullable(),
  cancelledAt: moment.nullable(),
  attemptsMade: z.int().min(0).meta({
    description: "Attempts that failed and count against the limit; postponed ones do not.",
  }),
  error: z.object({ code: z.string().nullable(), message: z.string().nullable() }).nullable(),
};

const JobSummaryBody = z.object(summary).meta({ id: "JobSummary" });

export const AttemptBody = z.object({
  startedAt: moment.nullable(),
  endedAt: moment,
  outcome: z.enum(["completed", "retry", "postpone", "interrupted", "cancelled", "dead", "lost"]),
  code: z.string().nullable(),
  message: z.string().nullable(),
  nextAttemptAt: moment.nullable(),
  worker: z.string().nullable(),
});

export const JobBody = z
  .object({
    ...summary,
    origin: z.enum(["request", "external", "replay"]),
    otherRequests: z.int().min(0).meta({ description: "Others who wait for the same run." }),
    running: z.object({ since: moment, on: z.string().nullable() }).nullable(),
    waits: z
      .object({ code: z.string(), message: z.string(), until: moment.optional() })
      .nullable()
      .meta({
        description: "Why nothing happens right now; `null` while it runs and once it is over.",
      }),
    attempts: z.array(AttemptBody).meta({
      description:
        "Oldest first. Postponed again and again for one reason is one entry, from its first start to its last end.",
    }),
    progress: z.unknown(),
    result: z.unknown(),
    changeNo: z.number().meta({ description: "Grows with each change; the id of its events." }),
  })
  .meta({ id: "Job" });

export const JobListBody = z.object({
  jobs: z.array(JobSummaryBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

/** A request taken back is over for whoever made it, even if its run goes on for others. */
const stateOf = (request: JobRequestSummary): RunState =>
  hasLeft(request) ? "cancelled" : request.run.state;

/** Whoever took the last request back waits for the run's end; whoever did so before is out of it. */
const hasLeft = ({ cancelledAt, run: { cancelRequestedAt } }: JobRequestSummary): boolean =>
  cancelledAt !== null && (cancelRequestedAt === null || cancelledAt < cancelRequestedAt);

/** Whether nothing more happens to the job, as far as this request is concerned. */
export const isOver = (request: JobRequestSummary): boolean =>
  request.run.finishedAt !== null || hasLeft(request);

export function jobSummaryBody(request: JobRequestSummary) {
  const { run } = request;
  return {
    requestId: request.requestId,
    runId: run.id,
    job: run.job,
    joined: request.joined,
    queue: run.queue,
    subject: run.subject,
    companyId: run.companyId,
    state: stateOf(request),
    requestedBy: request.requestedBy,
    requestedAt: request.requestedAt,
    dueAt: run.dueAt,
    deadlineAt: run.deadlineAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    cancelledAt: request.cancelledAt,
    attemptsMade: run.attemptsMade,
    error:
      run.errorCode === null && run.errorMessage === null
        ? null
        : { code: run.errorCode, message: run.errorMessage },
  };
}

export function jobBody(request: JobRequestView, waits: Wait | null) {
  const { run } = request;
  return {
    ...jobSummaryBody(request),
    origin: run.origin,
    otherRequests: request.otherRequests,
    running: run.runningSince === null ? null : { since: run.runningSince, on: run.runningOn },
    waits,
    attempts: request.attempts.map(({ id: _, stack: __, ...attempt }) => attempt),
    progress: run.progress,
    result: run.result,
    changeNo: run.changeNo,
  };
}
