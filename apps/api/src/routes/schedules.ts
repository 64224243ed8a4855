import {
  type Database,
  findJobRequest,
  findSchedule,
  type JobRequestView,
  lastTicks,
  listSchedules,
  lockSchedule,
  recordAction,
  type Schedule,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import { askScheduled } from "../schedules/ask-scheduled.ts";
import { AcceptedBody, acceptedHeaders } from "../schemas/job.ts";
import { given, paging } from "../schemas/paging.ts";
import { ScheduleBody, ScheduleListBody, scheduleBody } from "../schemas/schedule.ts";
import { line } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

const ScheduleParams = z.object({
  scheduleId: line(200).meta({ description: "The schedule, as the list names it." }),
});
const cursor = line(200).optional().meta({ description: "`nextCursor` of the page before." });

const RUNS_IN_LIST = 1;
const RUNS_OF_ONE = 20;

/** What is asked for by the clock: when next, what became of it last, and out of turn. */
export const scheduleRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => {
  const db = database.kysely;

  /** As answers show them, each with its last runs. */
  async function shown(schedules: readonly Schedule[], runs: number) {
    const ids = schedules.map(({ id }) => id);
    const ticks = await lastTicks(db, ids, runs);
    const requestIds = [...ticks.values()].flat().map(({ requestId }) => requestId);
    const jobs = await Promise.all(requestIds.map((id) => findJobRequest(db, id, "all")));
    const known = jobs.filter((job): job is JobRequestView => job !== undefined);
    const found = new Map(known.map((job) => [job.requestId, job]));
    return schedules.map((schedule) => scheduleBody(schedule, ticks.get(schedule.id) ?? [], found));
  }

  return [
    read({
      method: "get",
      path: "/v1/schedules",
      operationId: "listSchedules",
      tag: "Schedules",
      scope: "read",
      summary: "List what is asked for by the clock, with its next and its last run",
      params: z.object({}),
      query: z.strictObject({ limit: paging.limit, cursor }),
      answers: { 200: { description: "A page, by id.", schema: ScheduleListBody } },
      problems: [],
      async handle({ caller, query: { limit, cursor: after } }) {
        const page = await listSchedules(db, scopeOf(caller), {
          ...given({ after }),
          limit: limit + 1,
        });
        const schedules = page.slice(0, limit);
        const nextCursor = page.length > limit ? (schedules.at(-1)?.id ?? null) : null;
        return {
          status: 200,
          body: { schedules: await shown(schedules, RUNS_IN_LIST), nextCursor },
        };
      },
    }),

    read({
      method: "get",
      path: "/v1/schedules/{scheduleId}",
      operationId: "getSchedule",
      tag: "Schedules",
      scope: "read",
      summary: "Read a schedule with its last runs and what became of them",
      params: ScheduleParams,
      query: z.object({}),
      answers: { 200: { description: "The schedule.", schema: ScheduleBody } },
      problems: ["not-found"],
      async handle({ caller, params: { scheduleId } }) {
        const schedule = await findSchedule(db, scopeOf(caller), scheduleId);
        if (schedule === undefined) throw notFound("schedule", scheduleId);
        const [body] = await shown([schedule], RUNS_OF_ONE);
        return { status: 200, body };
      },
    }),

    write({
      method: "post",
      path: "/v1/schedules/{scheduleId}/run-now",
      operationId: "runScheduleNow",
      tag: "Schedules",
      scope: "operate",
      asksForWork: true,
      summary: "Ask for it now, out of turn",
      description: "Its next time stays as it is. A run that still waits takes the wish in.",
      params: ScheduleParams,
      query: z.object({}),
      body: ReasonInput,
      example: { reason: "last night's run was missed" },
      answers: {
        202: { description: "Asked for.", schema: AcceptedBody, headers: acceptedHeaders },
      },
      problems: ["not-found"],
      async handle({ caller, params: { scheduleId }, body: { reason }, traceparent, tx }) {
        const schedule = await lockSchedule(tx, scopeOf(caller), scheduleId);
        if (schedule === undefined) throw notFound("schedule", scheduleId);
        const by = requestedBy(caller);
        const wish = { dueAt: null, requestedBy: by, traceparent };
        const asked = await askScheduled(tx, requests, schedule, wish);
        await recordAction(tx, {
          actor: by,
          action: "run-schedule-now",
          targetKind: "schedule",
          targetId: scheduleId,
          companyId: schedule.companyId,
          subject: null,
          reason,
          before: null,
          after: { requestId: asked.requestId, joined: asked.joined },
        });
        return {
          status: 202,
          headers: { Location: `/v1/jobs/${asked.requestId}` },
          body: asked,
          committed: () => dispatcher.nudge(),
        };
      },
    }),
  ];
};
