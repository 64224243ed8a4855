import {
  cancelAsked,
  cancelItems,
  cancelRequest,
  countItems,
  createInvoiceRun,
  type Database,
  fallenByCause,
  findInvoiceRun,
  type InvoiceRun,
  invoicesToRun,
  listInvoiceRuns,
  listItems,
  lockInvoiceRun,
  moveInvoiceRun,
  type Queryable,
  recordAction,
  retryItems,
  type Tx,
  type UnfitInvoice,
  unfitInvoices,
} from "@ballast/database";
import type { Engine } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, type WriteCall, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound, Problem } from "../http/problem.ts";
import {
  InvoiceRunBody,
  InvoiceRunInput,
  InvoiceRunItemsBody,
  InvoiceRunListBody,
  invoiceRunBody,
  itemBody,
  itemsQuery,
  MAX_INVOICES,
} from "../schemas/invoice-run.ts";
import { given } from "../schemas/paging.ts";
import { uuid } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";
import { ownerOf } from "./owner.ts";

interface Deps {
  readonly database: Database;
  readonly engine: Pick<Engine, "remove">;
  readonly bodyLimitBytes: number;
}

export const InvoiceRunParams = z.object({
  invoiceRunId: uuid("The run, as `Location` named it"),
});
/** So many unfit invoices are named; the caller mends those and asks again. */
const MOST_NAMED = 20;

export const presentRun = async (db: Queryable, run: InvoiceRun) =>
  invoiceRunBody(
    run,
    await countItems(db, run.id),
    run.finishedAt === null ? [] : await fallenByCause(db, run.id),
  );

/** Render or mail many invoices by one order. */
export const invoiceRunRoutes = ({ database, engine, bodyLimitBytes }: Deps): Endpoint[] => [
  write({
    method: "post",
    path: "/v1/invoice-runs",
    operationId: "runInvoices",
    asksForWork: true,
    tag: "Work",
    scope: "write",
    summary: "Render or mail many invoices",
    description: `Up to ${MAX_INVOICES} of one company, by their ids or by a filter. What is done already is not done again. It goes on in the background, after whatever people ask for meanwhile, and can be watched, cancelled, and tried again where invoices fell out.`,
    params: z.object({}),
    query: z.object({}),
    body: InvoiceRunInput,
    example: { action: "render", filter: { issuedFrom: "2026-11-01", issuedTo: "2026-11-30" } },
    bodyLimitBytes,
    answers: {
      200: {
        description: "The filter finds nothing: there is nothing to do.",
        schema: z.object({ invoices: z.literal(0) }),
      },
      202: {
        description: "Under way.",
        schema: InvoiceRunBody,
        headers: { Location: "Where to watch it: `/v1/invoice-runs/{invoiceRunId}`." },
      },
    },
    problems: ["not-found"],
    async handle({ caller, body, traceparent, tx }) {
      const { action, ids } = body;
      const companyId = await ownerOf(tx, caller, body.companyId, undefined);
      const filter = body.filter === undefined ? null : given(body.filter);
      if (ids !== undefined) await refuseUnfitInvoices(tx, companyId, ids);
      const invoiceIds =
        ids ?? (await invoicesToRun(tx, companyId, filter ?? {}, MAX_INVOICES + 1));
      if (invoiceIds.length > MAX_INVOICES)
        throw refusal("invalid-body", [
          {
            path: "filter",
            message: `finds more than ${MAX_INVOICES} invoices: narrow it, e.g. by issuedFrom and issuedTo`,
            limit: MAX_INVOICES,
          },
        ]);
      if (invoiceIds.length === 0) return { status: 200, body: { invoices: 0 } };
      const order = { companyId, action, requestedBy: requestedBy(caller), traceparent };
      const run = await createInvoiceRun(tx, order, filter, invoiceIds);
      return {
        status: 202,
        headers: { Location: `/v1/invoice-runs/${run.id}` },
        body: await presentRun(tx, run),
      };
    },
  }),

  read({
    method: "get",
    path: "/v1/invoice-runs",
    operationId: "listInvoiceRuns",
    tag: "Work",
    scope: "read",
    summary: "List invoice runs, newest first",
    params: z.object({}),
    query: z.strictObject({}),
    answers: { 200: { description: "The newest 50.", schema: InvoiceRunListBody } },
    problems: [],
    async handle({ caller }) {
      const db = database.kysely;
      const runs = await listInvoiceRuns(db, scopeOf(caller));
      return {
        status: 200,
        body: { invoiceRuns: await Promise.all(runs.map((run) => presentRun(db, run))) },
      };
    },
  }),

  read({
    method: "get",
    path: "/v1/invoice-runs/{invoiceRunId}",
    operationId: "getInvoiceRun",
    tag: "Work",
    scope: "read",
    summary: "Watch an invoice run",
    params: InvoiceRunParams,
    query: z.object({}),
    answers: { 200: { description: "Where it stands.", schema: InvoiceRunBody } },
    problems: ["not-found"],
    async handle({ caller, params: { invoiceRunId } }) {
      const run = await findInvoiceRun(database.kysely, scopeOf(caller), invoiceRunId);
      if (run === undefined) throw notFound("invoice run", invoiceRunId);
      return { status: 200, body: await presentRun(database.kysely, run) };
    },
  }),

  read({
    method: "get",
    path: "/v1/invoice-runs/{invoiceRunId}/invoices",
    operationId: "listRunInvoices",
    tag: "Work",
    scope: "read",
    summary: "List what became of a run's invoices, in its order",
    params: InvoiceRunParams,
    query: itemsQuery,
    answers: { 200: { description: "A page.", schema: InvoiceRunItemsBody } },
    problems: ["not-found"],
    async handle({ caller, params: { invoiceRunId }, query }) {
      const run = await findInvoiceRun(database.kysely, scopeOf(caller), invoiceRunId);
      if (run === undefined) throw notFound("invoice run", invoiceRunId);
      const { items, nextCursor } = await listItems(database.kysely, run.id, given(query));
      return { status: 200, body: { items: items.map(itemBody), nextCursor } };
    },
  }),

  write({
    method: "post",
    path: "/v1/invoice-runs/{invoiceRunId}/cancel",
    operationId: "cancelInvoiceRun",
    tag: "Work",
    scope: "write",
    summary: "Do no more of a run's invoices",
    description:
      "What was not begun is taken back; what a worker has goes on, and so do documents that a mail was waiting for.",
    params: InvoiceRunParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the wrong month" },
    answers: { 202: { description: "Taken back, but for what runs.", schema: InvoiceRunBody } },
    problems: ["not-found", "run-state"],
    async handle(call) {
      const { tx } = call;
      const run = await lockedRun(call, ["running"]);
      const wishes = await cancelItems(tx, run.id);
      const stale: { readonly queue: string; readonly id: string }[] = [];
      const taken: string[] = [];
      for (const requestId of wishes) {
        const cancellation = await cancelRequest(tx, requestId, run.companyId);
        if (cancellation?.kind === "cancelled" || cancellation?.kind === "left")
          taken.push(requestId);
        if (cancellation?.kind === "cancelled" && cancellation.engineJob !== null)
          stale.push(cancellation.engineJob);
      }
      await cancelAsked(tx, run.id, taken);
      await moveInvoiceRun(tx, run.id, ["running"], "cancelling");
      await note(call, run, "cancel-invoice-run", { state: "cancelling" });
      return {
        ...(await answer(call, run.id)),
        // Best effort: a copy that stays is settled unrun when a worker starts it.
        committed: () => {
          for (const { queue, id } of stale) engine.remove(queue, id).catch(() => {});
        },
      };
    },
  }),

  write({
    method: "post",
    path: "/v1/invoice-runs/{invoiceRunId}/retry",
    operationId: "retryInvoiceRun",
    asksForWork: true,
    tag: "Work",
    scope: "write",
    summary: "Try again the invoices that fell out",
    description:
      "Those that failed are asked for again, and the dead letters of those that died are replayed, under the caller's name.",
    params: InvoiceRunParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the addresses are there now" },
    answers: { 202: { description: "Under way again.", schema: InvoiceRunBody } },
    problems: ["not-found", "run-state"],
    async handle(call) {
      const { tx, caller } = call;
      const run = await lockedRun(call, ["running", "completed", "cancelled"]);
      const invoices = await retryItems(tx, run.id, requestedBy(caller));
      if (invoices === 0)
        throw new Problem("run-state", `no invoice of run ${run.id} failed or died`);
      await note(call, run, "retry-invoice-run", { state: "running", invoices });
      return await answer(call, run.id);
    },
  }),
];

type RunCall = WriteCall<z.output<typeof InvoiceRunParams>, unknown, z.output<typeof ReasonInput>>;

async function lockedRun(
  { tx, caller, params: { invoiceRunId } }: RunCall,
  states: readonly InvoiceRun["state"][],
): Promise<InvoiceRun> {
  const run = await lockInvoiceRun(tx, scopeOf(caller), invoiceRunId);
  if (run === undefined) throw notFound("invoice run", invoiceRunId);
  if (!states.includes(run.state))
    throw new Problem(
      "run-state",
      `invoice run ${invoiceRunId} is ${run.state}; this needs one that is ${states.join(" or ")}`,
    );
  return run;
}

const note = ({ tx, caller, body }: RunCall, run: InvoiceRun, action: string, after: unknown) =>
  recordAction(tx, {
    actor: requestedBy(caller),
    action,
    targetKind: "invoice-run",
    targetId: run.id,
    companyId: run.companyId,
    subject: null,
    reason: body.reason,
    before: { state: run.state },
    after,
  });

async function answer({ tx, caller }: RunCall, id: string) {
  const run = await findInvoiceRun(tx, scopeOf(caller), id);
  if (run === undefined) throw notFound("invoice run", id);
  return { status: 202, body: await presentRun(tx, run) };
}

const WHY = {
  unknown: "is unknown",
  draft: "is a draft: issue it first",
  void: "is void",
} as const satisfies Record<UnfitInvoice["why"], string>;

/** @throws {Problem} `invalid-body` naming the first of them */
async function refuseUnfitInvoices(
  tx: Tx,
  companyId: string,
  ids: readonly string[],
): Promise<void> {
  const unfit = await unfitInvoices(tx, companyId, ids, MOST_NAMED);
  if (unfit.length > 0)
    throw refusal(
      "invalid-body",
      unfit.map(({ index, invoiceId, why }) => ({
        path: `ids.${index}`,
        message: `${invoiceId} ${WHY[why]}`,
      })),
    );
}
