import {
  attemptsOfRun,
  type Database,
  findLetter,
  lineageOf,
  listLetters,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import {
  LetterBody,
  LetterListBody,
  LetterState,
  letterBody,
  letterSummaryBody,
  ReplayedBody,
  ReplayInput,
} from "../schemas/dead-letter.ts";
import { acceptedHeaders } from "../schemas/job.ts";
import { given, paging } from "../schemas/paging.ts";
import { line, uuid } from "../schemas/text.ts";
import { instant, ReasonInput } from "../schemas/triage.ts";
import { discardLetter } from "../triage/discard-letter.ts";
import { letterActions } from "../triage/letter-actions.ts";
import { replayLetter } from "../triage/replay-letter.ts";
import { openLetter } from "../triage/settled.ts";

const LetterParams = z.object({ letterId: uuid("The letter, as the list names it") });

interface Deps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

/** What died, why, and what to do about it. */
export const deadLetterRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/dead-letters",
    operationId: "listDeadLetters",
    tag: "Triage",
    scope: "read",
    summary: "List dead letters, the latest death first, without their data",
    params: z.object({}),
    query: z.strictObject({
      queue: line(100).optional().meta({ example: "pdf" }),
      state: LetterState.optional(),
      job: line(200).optional().meta({ example: "render-invoice" }),
      code: line(200).optional().meta({ description: "The error's.", example: "invoice_void" }),
      incidentId: uuid("Of this incident alone").optional(),
      subject: line(200).optional().meta({
        description: "What it is about.",
        example: "invoice:0190c1a2-0000-7000-8000-0000000000a1",
      }),
      since: instant("Died then or later."),
      until: instant("Died before then."),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: LetterListBody } },
    problems: [],
    async handle({ caller, query }) {
      const scope = scopeOf(caller);
      const { letters, nextCursor } = await listLetters(database.kysely, scope, given(query));
      const deadLetters = letters.map((letter) => letterSummaryBody(letter, scope === "all"));
      return { status: 200, body: { deadLetters, nextCursor } };
    },
  }),

  read({
    method: "get",
    path: "/v1/dead-letters/{letterId}",
    operationId: "getDeadLetter",
    tag: "Triage",
    scope: "read",
    summary: "Read a dead letter: what died of what, its replays, and what each button would do",
    params: LetterParams,
    query: z.object({}),
    answers: { 200: { description: "The letter.", schema: LetterBody } },
    problems: ["not-found"],
    async handle({ caller, params: { letterId } }) {
      const db = database.kysely;
      const scope = scopeOf(caller);
      const letter = await findLetter(db, scope, letterId);
      if (letter === undefined) throw notFound("letter", letterId);
      const [attempts, lineage, actions] = await Promise.all([
        attemptsOfRun(db, letterId),
        lineageOf(db, letterId),
        letterActions(db, letter),
      ]);
      const seesIncidents = scope === "all";
      return {
        status: 200,
        body: letterBody({ letter, attempts, lineage, actions, seesIncidents }),
      };
    },
  }),

  write({
    method: "post",
    path: "/v1/dead-letters/{letterId}/replay",
    operationId: "replayDeadLetter",
    asksForWork: true,
    tag: "Triage",
    scope: "operate",
    summary: "Do it again",
    description:
      "A new run with fresh attempts, which works on the data of today. Where a run of the same slot waits or is started, that one does the work and is named. An edited `payload` is a new change and is done in any case; the letter keeps what died.",
    params: LetterParams,
    query: z.object({}),
    body: ReplayInput,
    example: { reason: "the printer is back" },
    answers: {
      202: { description: "Asked for.", schema: ReplayedBody, headers: acceptedHeaders },
    },
    problems: ["not-found", "letter-settled", "not-replayable"],
    async handle({ caller, params: { letterId }, body, traceparent, tx }) {
      const letter = await openLetter(tx, scopeOf(caller), letterId);
      const { reason, ...edit } = body;
      const order = { by: requestedBy(caller), reason, traceparent, edit };
      const replayed = await replayLetter(tx, requests, letter, order);
      return {
        status: 202,
        headers: { Location: `/v1/jobs/${replayed.requestId}` },
        body: replayed,
        committed: () => dispatcher.nudge(),
      };
    },
  }),

  write({
    method: "post",
    path: "/v1/dead-letters/{letterId}/discard",
    operationId: "discardDeadLetter",
    tag: "Triage",
    scope: "operate",
    summary: "Close a letter for good, without doing its work",
    params: LetterParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the customer cancelled the order" },
    answers: { 204: { description: "Discarded." } },
    problems: ["not-found", "letter-settled"],
    async handle({ caller, params: { letterId }, body: { reason }, tx }) {
      const letter = await openLetter(tx, scopeOf(caller), letterId);
      await discardLetter(tx, letter, { by: requestedBy(caller), reason });
      return { status: 204 };
    },
  }),
];
