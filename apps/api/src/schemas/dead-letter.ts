import type { AttemptView, Letter, LetterLineage, LetterSummary } from "@ballast/database";
import { z } from "zod";
import type { LetterAction } from "../triage/letter-actions.ts";
import { AttemptBody, asked, JobState } from "./job.ts";
import { line, moment, uuid } from "./text.ts";
import { reason } from "./triage.ts";

export const LetterState = z.enum(["open", "replayed", "discarded"]);

const generation = z.int().min(1).meta({ description: "1, and one more for each replay." });

const summary = {
  letterId: uuid("The letter; also the id of the run that died"),
  queue: z.string().meta({ example: "pdf" }),
  job: z.string().meta({ example: "render-invoice" }),
  version: z.int().meta({ description: "Of the payload; 0 if it came without an envelope." }),
  subject: z.string().nullable().meta({ example: "invoice:0190c1a2-0000-7000-8000-0000000000a1" }),
  companyId: z.string().nullable(),
  error: z.object({ code: z.string().nullable(), message: z.string().nullable() }),
  failedAt: moment,
  askedAt: moment,
  attemptsMade: z.int().min(0),
  generation,
  state: LetterState,
  incidentId: z
    .string()
    .nullable()
    .meta({ description: "What it has in common with others; keys of one company see none." }),
  workerVersion: z.string().nullable(),
};

const LetterSummaryBody = z.object(summary).meta({ id: "DeadLetterSummary" });

export const LetterListBody = z.object({
  deadLetters: z.array(LetterSummaryBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

export const LetterBody = z
  .object({
    ...summary,
    data: z.record(z.string(), z.unknown()).meta({ description: "The payload that died." }),
    stack: z.string().nullable(),
    attempts: z.array(AttemptBody),
    engineJobId: z.string(),
    parkedAt: moment,
    origin: z.enum(["request", "external", "replay"]),
    replayOf: z.string().nullable(),
    fingerprint: z.string().nullable(),
    worker: z.string().nullable(),
    traceId: z.string().nullable(),
    settled: z
      .object({
        at: moment,
        by: z.string(),
        reason: z.string(),
        requestId: z.string().nullable(),
        runId: z.string().nullable(),
      })
      .nullable()
      .meta({ description: "What was decided about it, and the job that does it again." }),
    lineage: z.object({
      ancestors: z.array(
        z.object({ letterId: z.string(), generation, failedAt: moment, state: LetterState }),
      ),
      descendants: z.array(
        z.object({
          runId: z.string(),
          requestId: z.string().nullable(),
          state: JobState.nullable(),
          generation: generation.nullable(),
          letterId: z.string().nullable(),
        }),
      ),
    }),
    actions: z
      .array(
        z.object({
          action: z.enum(["replay", "discard"]),
          allowed: z.boolean(),
          explanation: z.string(),
        }),
      )
      .meta({ description: "What each would do if it were asked for now, or why it would not." }),
  })
  .meta({ id: "DeadLetter" });

export const ReplayInput = z
  .strictObject({
    reason,
    payload: z.record(z.string(), z.unknown()).optional().meta({
      description: "Instead of the payload that died; checked against the job's contract.",
    }),
    job: line(200).optional().meta({
      description: "Where the letter's own job has no contract: the one that `payload` is of.",
    }),
  })
  .meta({ id: "ReplayInput" });

export const ReplayedBody = z
  .object({
    ...asked,
    joined: z.boolean().meta({
      description: "Whether a run of the same slot that was there already does the work.",
    }),
    twin: z
      .object({
        runId: z.string(),
        requestId: z.string().nullable(),
        state: z.enum(["waiting", "started"]),
      })
      .nullable()
      .meta({ description: "That run, and the job that asked for it first." }),
    letterId: z.string(),
    generation,
    edited: z.boolean(),
  })
  .meta({ id: "Replayed" });

export function letterSummaryBody(letter: LetterSummary, seesIncidents: boolean) {
  return {
    letterId: letter.runId,
    queue: letter.queue,
    job: letter.job,
    version: letter.version,
    subject: letter.subject,
    companyId: letter.companyId,
    error: { code: letter.code, message: letter.message },
    failedAt: letter.diedAt,
    askedAt: letter.askedAt,
    attemptsMade: letter.attemptsMade,
    generation: letter.generation,
    state: letter.state,
    incidentId: seesIncidents ? letter.incidentId : null,
    workerVersion: versionOf(letter.worker),
  };
}

interface LetterStory {
  readonly letter: Letter;
  readonly attempts: readonly AttemptView[];
  readonly lineage: LetterLineage;
  readonly actions: readonly LetterAction[];
  readonly seesIncidents: boolean;
}

export function letterBody({ letter, attempts, lineage, actions, seesIncidents }: LetterStory) {
  const { settledAt, settledBy, settledReason } = letter;
  return {
    ...letterSummaryBody(letter, seesIncidents),
    data: letter.payload,
    stack: letter.stack,
    attempts: attempts.map(({ id: _, stack: __, ...attempt }) => attempt),
    engineJobId: letter.engineJobId,
    parkedAt: letter.parkedAt,
    origin: letter.origin,
    replayOf: letter.replayOf,
    fingerprint: letter.fingerprint,
    worker: letter.worker,
    traceId: letter.traceparent?.split("-")[1] ?? null,
    settled:
      settledAt === null
        ? null
        : {
            at: settledAt,
            by: settledBy ?? "",
            reason: settledReason ?? "",
            requestId: letter.replayRequestId,
            runId: letter.replayRunId,
          },
    lineage: {
      ancestors: lineage.ancestors.map(({ diedAt, ...one }) => ({ ...one, failedAt: diedAt })),
      descendants: lineage.descendants.map((one) => ({ ...one })),
    },
    actions,
  };
}

/** What follows the `@` in a worker's name, e.g. `1.2.3` of `host:7@1.2.3`. */
const versionOf = (worker: string | null): string | null => {
  const at = worker?.lastIndexOf("@") ?? -1;
  return at < 0 ? null : worker?.slice(at + 1) || null;
};
