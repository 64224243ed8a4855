import {
  type Database,
  findCompany,
  findReminderSettings,
  InvoiceNotFoundError,
  InvoiceStateError,
  lockCompany,
  moveDueDate,
  putReminderSettings,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { askReminders } from "../reminders/ask-reminders.ts";
import { moveWaiting } from "../reminders/move-waiting.ts";
import { InvoiceBody, invoiceBody } from "../schemas/invoice.ts";
import { RemindersBody, RemindersInput } from "../schemas/reminder.ts";
import { CompanyParams } from "./companies.ts";
import { findWhole, InvoiceParams } from "./invoices.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

/** Whom a company reminds of what they owe, and when that is due. */
export const reminderRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/companies/{companyId}/reminders",
    operationId: "putReminders",
    tag: "Companies",
    scope: "write",
    summary: "Set when customers are reminded of unpaid invoices, and in which words",
    description:
      "Nobody is reminded before this is set. Reminders that wait for their day move to the new one; those whose time is over then, by a week at most, go out at once. Invoices without any are found by the daily look.",
    params: CompanyParams,
    query: z.object({}),
    body: RemindersInput,
    example: { beforeDays: 3, afterDays: 7 },
    answers: { 200: { description: "Set.", schema: RemindersBody } },
    problems: ["not-found"],
    async handle({ caller, params: { companyId }, body, tx }) {
      const company = await lockCompany(tx, scopeOf(caller), companyId);
      if (company === undefined) throw notFound("company", companyId);
      const { before, after } = body.templates;
      const templates = { ...(before && { before }), ...(after && { after }) };
      await putReminderSettings(tx, companyId, { ...body, templates });
      const settings = await moveWaiting(tx, company);
      return { status: 200, body: settings, committed: () => dispatcher.nudge() };
    },
  }),

  read({
    method: "get",
    path: "/v1/companies/{companyId}/reminders",
    operationId: "getReminders",
    tag: "Companies",
    scope: "read",
    summary: "Read when customers are reminded of unpaid invoices",
    params: CompanyParams,
    query: z.object({}),
    answers: { 200: { description: "As it is set.", schema: RemindersBody } },
    problems: ["not-found"],
    async handle({ caller, params: { companyId } }) {
      const company = await findCompany(database.kysely, scopeOf(caller), companyId);
      if (company === undefined) throw notFound("company", companyId);
      return { status: 200, body: await findReminderSettings(database.kysely, companyId) };
    },
  }),

  write({
    method: "put",
    path: "/v1/invoices/{invoiceId}/due-date",
    operationId: "moveDueDate",
    tag: "Invoices",
    scope: "write",
    asksForWork: true,
    summary: "Give an issued invoice another due date",
    description:
      "Its document keeps the one it was issued with. Reminders follow; one whose time is over goes out at once, unless the new date is over, too.",
    params: InvoiceParams,
    query: z.object({}),
    body: z.strictObject({ dueDate: z.iso.date().meta({ example: "2026-12-31" }) }),
    example: { dueDate: "2026-12-31" },
    answers: { 200: { description: "The invoice with its new date.", schema: InvoiceBody } },
    problems: ["not-found", "invoice-state"],
    async handle({ caller, params: { invoiceId }, body: { dueDate }, traceparent, tx }) {
      const scope = scopeOf(caller);
      const invoice = await moveDueDate(tx, scope, invoiceId, dueDate).catch((error: unknown) => {
        if (error instanceof InvoiceNotFoundError) throw notFound("invoice", invoiceId);
        if (error instanceof InvoiceStateError) throw new Problem("invoice-state", error.message);
        throw error;
      });
      const wish = { requestedBy: requestedBy(caller), traceparent };
      await askReminders(tx, requests, invoice, "at-once", wish);
      return {
        status: 200,
        body: invoiceBody(await findWhole(tx, scope, invoiceId)),
        committed: () => dispatcher.nudge(),
      };
    },
  }),
];
