import { type Database, findInvoiceHead, invoiceTimeline, listActions } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import { given, paging } from "../schemas/paging.ts";
import { ActionListBody, TimelineBody } from "../schemas/story.ts";
import { line } from "../schemas/text.ts";
import { InvoiceParams } from "./invoices.ts";

/** What happened, and who did it. */
export const storyRoutes = ({ database }: { readonly database: Database }): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/invoices/{invoiceId}/timeline",
    operationId: "getTimeline",
    tag: "Invoices",
    scope: "read",
    summary: "Where is this invoice? All that happened to it, in the order of time",
    description:
      "Its own steps, who asked for what, every attempt with its error, documents, mails, dead letters, and what operators did.",
    params: InvoiceParams,
    query: z.object({}),
    answers: { 200: { description: "The story.", schema: TimelineBody } },
    problems: ["not-found"],
    async handle({ caller, params: { invoiceId } }) {
      const db = database.kysely;
      const invoice = await findInvoiceHead(db, scopeOf(caller), invoiceId);
      if (invoice === undefined) throw notFound("invoice", invoiceId);
      return { status: 200, body: { invoiceId, ...(await invoiceTimeline(db, invoice)) } };
    },
  }),

  read({
    method: "get",
    path: "/v1/operator-actions",
    operationId: "listOperatorActions",
    tag: "Triage",
    scope: "read",
    summary: "List what operators did, the latest first: who, when, why, before and after",
    params: z.object({}),
    query: z.strictObject({
      subject: line(200)
        .optional()
        .meta({ example: "invoice:0190c1a2-0000-7000-8000-0000000000a1" }),
      targetKind: line(50).optional().meta({ example: "letter" }),
      targetId: line(200).optional(),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: ActionListBody } },
    problems: [],
    async handle({ caller, query }) {
      const page = await listActions(database.kysely, scopeOf(caller), given(query));
      const actions = page.actions.map(({ id, ...action }) => ({ actionId: id, ...action }));
      return { status: 200, body: { actions, nextCursor: page.nextCursor } };
    },
  }),
];
