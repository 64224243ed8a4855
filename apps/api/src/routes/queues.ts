import { queueDefinitions } from "@ballast/contracts";
import {
  type Database,
  findQueuePause,
  listQueueFigures,
  listQueuePauses,
  type Queryable,
  type QueueFigures,
  recordAction,
  setQueuePaused,
} from "@ballast/database";
import type { Dispatcher, Engine } from "@ballast/jobs";
import { z } from "zod";
import { type Caller, requestedBy } from "../http/caller.ts";
import { type Endpoint, read, type WriteCall, write } from "../http/endpoint.ts";
import { Problem } from "../http/problem.ts";
import { peekQueue } from "../jobs/engine-peek.ts";
import { QueueBody, QueueListBody, queueBody } from "../schemas/queue.ts";
import { line } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly engine: Pick<Engine, "state" | "setPaused">;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

const QueueParams = z.object({
  queue: line(100).meta({ description: "Its name", example: "pdf" }),
});

/** Look at queues, hold them and let them go. They belong to all companies, and so must the key. */
export const queueRoutes = ({ database, engine, dispatcher }: Deps): Endpoint[] => {
  /** Those that exist, or one of them; the figures of all are one question. */
  const present = async (db: Queryable, only?: string) => {
    const figures = await listQueueFigures(db);
    const pauses = await listQueuePauses(db);
    const names = only === undefined ? namesOf(figures) : [only];
    return await Promise.all(
      names.map(async (name) =>
        queueBody(
          name,
          figures.find(({ queue }) => queue === name),
          pauses.find(({ queue }) => queue === name),
          await peekQueue(engine, name),
        ),
      ),
    );
  };
  const presentOne = async (db: Queryable, queue: string) => {
    const [one] = await present(db, queue);
    return one;
  };
  const change = async (
    {
      caller,
      params: { queue },
      body: { reason },
      tx,
    }: WriteCall<z.output<typeof QueueParams>, unknown, z.output<typeof ReasonInput>>,
    paused: boolean,
  ) => {
    await requireQueue(tx, caller, queue);
    const before = await findQueuePause(tx, queue);
    const after = await setQueuePaused(tx, {
      queue,
      paused,
      reason,
      changedBy: requestedBy(caller),
    });
    await recordAction(tx, {
      actor: requestedBy(caller),
      action: paused ? "pause-queue" : "resume-queue",
      targetKind: "queue",
      targetId: queue,
      companyId: null,
      subject: null,
      reason,
      before: { paused: before?.paused ?? false },
      after: { paused: after.paused },
    });
    return {
      status: 200,
      body: await presentOne(tx, queue),
      committed: () => {
        // What fails here is told again by the reconciler.
        engine.setPaused(queue, paused).catch(() => {});
        dispatcher.nudge();
      },
    };
  };

  return [
    read({
      method: "get",
      path: "/v1/queues",
      operationId: "listQueues",
      tag: "Queues",
      scope: "read",
      summary: "List queues with what waits in each",
      description: "A key of one company sees none: queues belong to all.",
      params: z.object({}),
      query: z.strictObject({}),
      answers: { 200: { description: "Every queue, by name.", schema: QueueListBody } },
      problems: [],
      async handle({ caller }) {
        if (caller.companyId !== null) return { status: 200, body: { queues: [] } };
        return { status: 200, body: { queues: await present(database.kysely) } };
      },
    }),

    read({
      method: "get",
      path: "/v1/queues/{queue}",
      operationId: "getQueue",
      tag: "Queues",
      scope: "read",
      summary: "Read what waits in a queue, and whether it is paused",
      params: QueueParams,
      query: z.object({}),
      answers: { 200: { description: "The queue.", schema: QueueBody } },
      problems: ["not-found"],
      async handle({ caller, params: { queue } }) {
        await requireQueue(database.kysely, caller, queue);
        return { status: 200, body: await presentOne(database.kysely, queue) };
      },
    }),

    write({
      method: "post",
      path: "/v1/queues/{queue}/pause",
      operationId: "pauseQueue",
      tag: "Queues",
      scope: "operate",
      summary: "Let no job of a queue begin",
      description:
        "It goes on accepting work, and every job says that it waits for this. What runs already goes on to its end.",
      params: QueueParams,
      query: z.object({}),
      body: ReasonInput,
      example: { reason: "the printer's fonts are being replaced" },
      answers: { 200: { description: "Paused.", schema: QueueBody } },
      problems: ["not-found"],
      handle: (call) => change(call, true),
    }),

    write({
      method: "post",
      path: "/v1/queues/{queue}/resume",
      operationId: "resumeQueue",
      tag: "Queues",
      scope: "operate",
      summary: "Let jobs of a paused queue begin again",
      params: QueueParams,
      query: z.object({}),
      body: ReasonInput,
      example: { reason: "the fonts are there" },
      answers: { 200: { description: "Resumed.", schema: QueueBody } },
      problems: ["not-found"],
      handle: (call) => change(call, false),
    }),
  ];
};

/** Those of this release, and whatever others have put work into. */
const namesOf = (used: readonly QueueFigures[]): string[] =>
  [
    ...new Set([...queueDefinitions.map(({ name }) => name), ...used.map(({ queue }) => queue)]),
  ].sort();

/** @throws {Problem} `not-found`, naming the queues that exist to whoever may see them */
async function requireQueue(db: Queryable, caller: Caller, queue: string): Promise<void> {
  const names = caller.companyId === null ? namesOf(await listQueueFigures(db)) : [];
  if (names.includes(queue)) return;
  const there = names.length === 0 ? "" : `: there are ${names.join(", ")}`;
  throw new Problem("not-found", `there is no queue ${queue}${there}`);
}
