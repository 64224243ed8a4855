import {
  countReplay,
  countReplayable,
  createReplay,
  type Database,
  findActiveReplay,
  findReplay,
  isUniqueViolation,
  listReplays,
  lockReplay,
  moveReplay,
  type Queryable,
  type Replay,
  type ReplayState,
  recordAction,
  replayableLetters,
  skippedLetters,
  UNDER_WAY,
} from "@ballast/database";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, type WriteCall, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import { forecast } from "../replays/forecast.ts";
import { given } from "../schemas/paging.ts";
import {
  BulkReplayBody,
  BulkReplayListBody,
  bulkReplayBody,
  ForecastBody,
  ReplayManyInput,
} from "../schemas/replay.ts";
import { uuid } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";

const ReplayParams = z.object({ replayId: uuid("The bulk replay, as `Location` named it") });
/** What one replay may hold; a filter by time makes two of it. */
const MAX_LETTERS = 50_000;
const RESUMABLE: readonly ReplayState[] = ["stopped", "cancelled"];

const present = async (db: Queryable, replay: Replay) =>
  bulkReplayBody(replay, await countReplay(db, replay.id), await skippedLetters(db, replay.id));

/** Replay many letters at a measured pace, a few of them ahead. */
export const replayRoutes = ({ database }: { readonly database: Database }): Endpoint[] => [
  write({
    method: "post",
    path: "/v1/replays",
    operationId: "replayMany",
    asksForWork: ({ dryRun }) => !dryRun,
    tag: "Triage",
    scope: "operate",
    summary: "Replay all letters that a filter finds",
    description:
      "A few go ahead, the others follow at the rate once those have ended well. It stops by itself when the same cause comes back, goes on after a restart, and can be watched, cancelled and resumed. One at a time for each queue and company; one of all companies goes beside those. With `dryRun` it only says what would happen.",
    params: z.object({}),
    query: z.object({}),
    body: ReplayManyInput,
    example: { filter: { queue: "pdf" }, dryRun: true, reason: "the fonts are there again" },
    answers: {
      200: { description: "What would happen, or that there is nothing.", schema: ForecastBody },
      202: {
        description: "Under way.",
        schema: BulkReplayBody,
        headers: { Location: "Where to watch it: `/v1/replays/{replayId}`." },
      },
    },
    problems: ["replay-running"],
    async handle({ caller, body, tx }) {
      const scope = scopeOf(caller);
      const filter = given(body.filter);
      const { ratePerSecond, canary, stopShare, reason } = body;
      const count = await countReplayable(tx, scope, filter);
      if (count > MAX_LETTERS)
        throw refusal("invalid-body", [
          {
            path: "filter",
            message: `finds ${count} letters: narrow it, e.g. by since and until`,
            limit: MAX_LETTERS,
          },
        ]);
      if (body.dryRun || count === 0)
        return { status: 200, body: await forecast(tx, scope, filter, ratePerSecond) };

      await refuseSecond(tx, filter.queue, caller.companyId);
      const letterIds: string[] = [];
      for await (const page of replayableLetters(tx, scope, filter))
        letterIds.push(...page.map(({ runId }) => runId));
      const by = requestedBy(caller);
      const id = await createReplay(
        tx,
        {
          filter,
          companyId: caller.companyId,
          ratePerSecond,
          canaryCount: canary,
          stopShare,
          reason,
          requestedBy: by,
        },
        letterIds,
      ).catch(asRunning(filter.queue));
      await note(tx, by, "begin-replay", id, caller.companyId, reason, null, {
        filter,
        letters: letterIds.length,
        ratePerSecond,
      });
      const replay = await findReplay(tx, scope, id);
      if (replay === undefined) throw notFound("replay", id);
      return {
        status: 202,
        headers: { Location: `/v1/replays/${id}` },
        body: await present(tx, replay),
      };
    },
  }),

  read({
    method: "get",
    path: "/v1/replays",
    operationId: "listReplays",
    tag: "Triage",
    scope: "read",
    summary: "List bulk replays, newest first",
    params: z.object({}),
    query: z.strictObject({}),
    answers: { 200: { description: "The newest 50.", schema: BulkReplayListBody } },
    problems: [],
    async handle({ caller }) {
      const db = database.kysely;
      const replays = await listReplays(db, scopeOf(caller));
      return {
        status: 200,
        body: { replays: await Promise.all(replays.map((replay) => present(db, replay))) },
      };
    },
  }),

  read({
    method: "get",
    path: "/v1/replays/{replayId}",
    operationId: "getReplay",
    tag: "Triage",
    scope: "read",
    summary: "Watch a bulk replay",
    params: ReplayParams,
    query: z.object({}),
    answers: { 200: { description: "Where it stands.", schema: BulkReplayBody } },
    problems: ["not-found"],
    async handle({ caller, params: { replayId } }) {
      const replay = await findReplay(database.kysely, scopeOf(caller), replayId);
      if (replay === undefined) throw notFound("replay", replayId);
      return { status: 200, body: await present(database.kysely, replay) };
    },
  }),

  write({
    method: "post",
    path: "/v1/replays/{replayId}/cancel",
    operationId: "cancelReplay",
    tag: "Triage",
    scope: "operate",
    summary: "Replay no more of its letters",
    description: "What was replayed already goes on.",
    params: ReplayParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the cause is not mended yet" },
    answers: { 200: { description: "Cancelled.", schema: BulkReplayBody } },
    problems: ["not-found", "replay-state"],
    handle: (call) => move(call, UNDER_WAY, "cancelled", "cancel-replay"),
  }),

  write({
    method: "post",
    path: "/v1/replays/{replayId}/resume",
    operationId: "resumeReplay",
    tag: "Triage",
    scope: "operate",
    summary: "Go on with a bulk replay that was stopped or cancelled",
    description: "A few go ahead again, as in the beginning.",
    params: ReplayParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the cause is mended" },
    answers: { 200: { description: "Under way again.", schema: BulkReplayBody } },
    problems: ["not-found", "replay-state", "replay-running"],
    handle: (call) => move(call, RESUMABLE, "canary", "resume-replay"),
  }),
];

async function move(
  {
    caller,
    params: { replayId },
    body: { reason },
    tx,
  }: WriteCall<z.output<typeof ReplayParams>, unknown, z.output<typeof ReasonInput>>,
  from: readonly ReplayState[],
  state: ReplayState,
  action: string,
) {
  const scope = scopeOf(caller);
  const before = await lockReplay(tx, scope, replayId);
  if (before === undefined) throw notFound("replay", replayId);
  if (!from.includes(before.state))
    throw new Problem(
      "replay-state",
      `replay ${replayId} is ${before.state}; this needs one that is ${from.join(" or ")}`,
    );
  if (state === "canary") await refuseSecond(tx, before.queue, before.companyId);
  await moveReplay(tx, replayId, from, state).catch(asRunning(before.queue));
  const { companyId } = before;
  const was = { state: before.state, stopReason: before.stopReason };
  await note(tx, requestedBy(caller), action, replayId, companyId, reason, was, { state });
  const after = await findReplay(tx, scope, replayId);
  if (after === undefined) throw notFound("replay", replayId);
  return { status: 200, body: await present(tx, after) };
}

async function refuseSecond(db: Queryable, queue: string, companyId: string | null): Promise<void> {
  const other = await findActiveReplay(db, queue, companyId);
  if (other !== undefined)
    throw new Problem("replay-running", `queue ${queue} has /v1/replays/${other.id} under way`);
}

/** Two at the same moment: the database lets one in. */
const asRunning =
  (queue: string) =>
  (error: unknown): never => {
    if (!isUniqueViolation(error, "replays_one_per_queue")) throw error;
    throw new Problem("replay-running", `queue ${queue} has another under way`);
  };

const note = (
  tx: Parameters<typeof recordAction>[0],
  actor: string,
  action: string,
  targetId: string,
  companyId: string | null,
  reason: string,
  before: unknown,
  after: unknown,
) =>
  recordAction(tx, {
    actor,
    action,
    targetKind: "replay",
    targetId,
    companyId,
    subject: null,
    reason,
    before,
    after,
  });
