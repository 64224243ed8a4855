import type { JobRequestView, Schedule, ScheduleTick } from "@ballast/database";
import { z } from "zod";
import { JobState, jobSummaryBody } from "./job.ts";
import { moment, uuid } from "./text.ts";

const RunBody = z.object({
  dueAt: moment.nullable().meta({
    description: "The time it was meant for; `null` if it was asked for out of turn.",
  }),
  askedAt: moment,
  requestedBy: z.string(),
  requestId: uuid("The job: `/v1/jobs/{requestId}`"),
  state: JobState.nullable().meta({ description: "`null` once its history has been dropped." }),
  finishedAt: moment.nullable(),
  error: z.object({ code: z.string().nullable(), message: z.string().nullable() }).nullable(),
});

export const ScheduleBody = z
  .object({
    id: z.string().meta({ example: "reconcile-stock:0190c1a2-0000-7000-8000-0000000000d1" }),
    companyId: z.string().nullable(),
    job: z.string(),
    queue: z.string(),
    payload: z.record(z.string(), z.unknown()),
    cron: z.string().meta({ example: "0 3 * * *" }),
    timeZone: z.string().meta({ example: "Europe/Berlin" }),
    nextAt: moment,
    lastRuns: z.array(RunBody).meta({ description: "The newest first." }),
  })
  .meta({ id: "Schedule" });

export const ScheduleListBody = z.object({
  schedules: z.array(ScheduleBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

/** @param found the job of each tick, where it is still known */
export const scheduleBody = (
  schedule: Schedule,
  ticks: readonly ScheduleTick[],
  found: ReadonlyMap<string, JobRequestView>,
) => ({
  ...schedule,
  lastRuns: ticks.map((tick) => {
    const job = found.get(tick.requestId);
    const { state = null, finishedAt = null, error = null } = job ? jobSummaryBody(job) : {};
    return { ...tick, state, finishedAt, error };
  }),
});
