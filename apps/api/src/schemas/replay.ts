import type { Replay, ReplayCounts } from "@ballast/database";
import { z } from "zod";
import { line, moment, uuid } from "./text.ts";
import { instant, reason } from "./triage.ts";

const filter = z
  .strictObject({
    queue: line(100).meta({ example: "pdf" }),
    job: line(200).optional(),
    code: line(200).optional().meta({ description: "The error's." }),
    incidentId: uuid("Of this incident alone").optional(),
    fingerprint: line(200).optional().meta({ description: "Of this cause alone." }),
    generation: z.int().min(1).optional().meta({ description: "1: never replayed yet." }),
    since: instant("Died then or later."),
    until: instant("Died before then."),
  })
  .meta({ description: "Which open letters. One queue at a time." });

export const ReplayManyInput = z
  .strictObject({
    filter,
    ratePerSecond: z.number().min(0.1).max(1_000).default(10),
    canary: z.int().min(0).max(1_000).default(10).meta({
      description: "This many go ahead; the others follow once these have ended well.",
    }),
    stopShare: z.number().gt(0).max(1).default(0.2).meta({
      description: "Stops by itself when more than this share died of the same cause again.",
    }),
    dryRun: z.boolean().default(false).meta({ description: "Say what would happen; do nothing." }),
    reason,
  })
  .meta({ id: "BulkReplayInput" });

const sample = z.array(z.object({ letterId: z.string(), message: z.string() }));

export const ForecastBody = z
  .object({
    letters: z.int().meta({ description: "Open letters that the filter finds." }),
    replayable: z.int(),
    notReplayable: z.int().meta({ description: "No longer what their contract takes." }),
    notReplayableSample: sample,
    alreadyDone: z.int().meta({ description: "Done according to the ledger: skipped." }),
    alreadyDoneSample: sample,
    secondsAtLeast: z.number().meta({ description: "At this rate." }),
  })
  .meta({ id: "ReplayForecast" });

export const BulkReplayBody = z
  .object({
    replayId: z.string(),
    queue: z.string(),
    filter: z.record(z.string(), z.unknown()),
    state: z.enum(["canary", "running", "stopped", "cancelled", "completed"]),
    stopReason: z.string().nullable(),
    ratePerSecond: z.number(),
    canary: z.int(),
    stopShare: z.number(),
    reason: z.string(),
    requestedBy: z.string(),
    createdAt: moment,
    finishedAt: moment.nullable(),
    counts: z
      .object({
        letters: z.int(),
        pending: z.int(),
        replayed: z.int(),
        joined: z.int(),
        skipped: z.int(),
        ended: z.int(),
        diedAgain: z.int(),
      })
      .meta({
        description:
          "`joined`, `ended` and `diedAgain` are of the replayed; joined: a run that was there already does the work.",
      }),
    skipped: z.array(
      z.object({ code: z.string(), count: z.int(), letterId: z.string(), message: z.string() }),
    ),
    secondsLeft: z
      .number()
      .nullable()
      .meta({ description: "At its rate; `null` once it is over." }),
  })
  .meta({ id: "BulkReplay" });

export const BulkReplayListBody = z.object({ replays: z.array(BulkReplayBody) });

export function bulkReplayBody(
  replay: Replay,
  counts: ReplayCounts,
  skipped: z.output<typeof BulkReplayBody>["skipped"],
) {
  return {
    replayId: replay.id,
    queue: replay.queue,
    filter: replay.filter,
    state: replay.state,
    stopReason: replay.stopReason,
    ratePerSecond: replay.ratePerSecond,
    canary: replay.canaryCount,
    stopShare: replay.stopShare,
    reason: replay.reason,
    requestedBy: replay.requestedBy,
    createdAt: replay.createdAt,
    finishedAt: replay.finishedAt,
    counts,
    skipped,
    secondsLeft:
      replay.finishedAt === null ? Math.ceil(counts.pending / replay.ratePerSecond) : null,
  };
}
