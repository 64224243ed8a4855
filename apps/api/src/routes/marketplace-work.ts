import { pushStock, reconcileStock } from "@ballast/contracts";
import {
  type Database,
  findAccount,
  listDriftReports,
  lockAccount,
  type MarketplaceAccount,
  measureBacklog,
  openRemoteStore,
  recordAction,
  setAccountPaused,
  type Tx,
} from "@ballast/database";
import { type Dispatcher, quotaLeft, type Requests } from "@ballast/jobs";
import { z } from "zod";
import { type Caller, requestedBy, scopeOf } from "../http/caller.ts";
import { type Answer, type Endpoint, read, type WriteCall, write } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { AcceptedBody, acceptedHeaders } from "../schemas/job.ts";
import {
  AccountBody,
  AccountStatusBody,
  accountBody,
  DriftListBody,
  driftBody,
  SyncInput,
} from "../schemas/marketplace.ts";
import { given, paging } from "../schemas/paging.ts";
import { ReasonInput } from "../schemas/triage.ts";
import { askPush } from "../stock/change-stock.ts";
import { forecastOf } from "../stock/forecast.ts";
import { AccountParams } from "./marketplace-accounts.ts";

interface Deps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

type Order = WriteCall<
  z.output<typeof AccountParams>,
  unknown,
  { readonly reason: string; readonly urgent?: boolean }
>;

/** Tell, compare, hold and let go a marketplace account; see how it stands. */
export const marketplaceWorkRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => {
  const remotes = openRemoteStore(database);
  const nudge = () => dispatcher.nudge();

  async function ask(call: Order, job: typeof pushStock | typeof reconcileStock): Promise<Answer> {
    const account = await orderOn(call, job === pushStock ? "sync" : "reconcile");
    const { id: accountId, companyId } = account;
    if (account.paused)
      throw new Problem("account-paused", `account ${accountId} (${account.name}) is paused`);
    const { caller, traceparent, tx } = call;
    const wish = { companyId, requestedBy: requestedBy(caller), traceparent };
    const asked =
      job === pushStock
        ? await askPush(
            tx,
            requests,
            { accountId, urgent: call.body.urgent ?? false, dueAt: null },
            wish,
          )
        : await requests.ask(tx, reconcileStock, { accountId }, wish);
    return {
      status: 202,
      headers: { Location: `/v1/jobs/${asked.requestId}` },
      body: { ...asked, job: job.name },
      committed: nudge,
    };
  }

  async function hold(call: Order, paused: boolean): Promise<Answer> {
    const before = await orderOn(call, paused ? "pause" : "resume");
    const { caller, traceparent, tx } = call;
    const account = await setAccountPaused(tx, before.id, paused);
    // What changed meanwhile asked for nothing.
    if (!paused)
      await askPush(
        tx,
        requests,
        { accountId: account.id, urgent: false, dueAt: null },
        { companyId: account.companyId, requestedBy: requestedBy(caller), traceparent },
      );
    return { status: 200, body: accountBody(account), committed: nudge };
  }

  const asking = {
    tag: "Marketplaces",
    scope: "operate",
    params: AccountParams,
    query: z.object({}),
  } as const;
  const accepted = {
    202: { description: "Asked for.", schema: AcceptedBody, headers: acceptedHeaders },
  };

  return [
    write({
      ...asking,
      method: "post",
      path: "/v1/marketplace-accounts/{accountId}/sync",
      operationId: "syncMarketplaceAccount",
      asksForWork: true,
      summary: "Tell an account now what it does not have yet",
      body: SyncInput,
      example: { reason: "the shop asks" },
      answers: accepted,
      problems: ["not-found", "account-paused"],
      handle: (call) => ask(call, pushStock),
    }),
    write({
      ...asking,
      method: "post",
      path: "/v1/marketplace-accounts/{accountId}/reconcile",
      operationId: "reconcileMarketplaceAccount",
      asksForWork: true,
      summary: "Compare an account with what we hold now, and mend what drifted",
      body: ReasonInput,
      example: { reason: "the shop shows an old quantity" },
      answers: accepted,
      problems: ["not-found", "account-paused"],
      handle: (call) => ask(call, reconcileStock),
    }),
    write({
      ...asking,
      method: "post",
      path: "/v1/marketplace-accounts/{accountId}/pause",
      operationId: "pauseMarketplaceAccount",
      summary: "Tell an account nothing until it is resumed",
      description: "Changes are kept. A call that is under way ends.",
      body: ReasonInput,
      example: { reason: "the shop moves to another server" },
      answers: { 200: { description: "Paused.", schema: AccountBody } },
      problems: ["not-found"],
      handle: (call) => hold(call, true),
    }),
    write({
      ...asking,
      method: "post",
      path: "/v1/marketplace-accounts/{accountId}/resume",
      operationId: "resumeMarketplaceAccount",
      asksForWork: true,
      summary: "Let a paused account go on",
      description: "What changed meanwhile is told at once.",
      body: ReasonInput,
      example: { reason: "the shop has moved" },
      answers: { 200: { description: "Resumed.", schema: AccountBody } },
      problems: ["not-found"],
      handle: (call) => hold(call, false),
    }),

    read({
      method: "get",
      path: "/v1/marketplace-accounts/{accountId}/drift",
      operationId: "listDrift",
      tag: "Marketplaces",
      scope: "read",
      summary: "Read what comparisons found and did, the newest first",
      params: AccountParams,
      query: z.strictObject(paging),
      answers: { 200: { description: "A page.", schema: DriftListBody } },
      problems: ["not-found"],
      async handle({ caller, params: { accountId }, query }) {
        await accountOf(database, caller, accountId);
        const page = await listDriftReports(database.kysely, accountId, given(query));
        const reports = page.reports.map(driftBody);
        return { status: 200, body: { reports, nextCursor: page.nextCursor } };
      },
    }),

    read({
      method: "get",
      path: "/v1/marketplace-accounts/{accountId}/status",
      operationId: "getMarketplaceStatus",
      tag: "Marketplaces",
      scope: "read",
      summary:
        "Read whether an account is called, its quota, its backlog, and when it is caught up",
      params: AccountParams,
      query: z.object({}),
      answers: { 200: { description: "How it stands.", schema: AccountStatusBody } },
      problems: ["not-found"],
      async handle({ caller, params: { accountId } }) {
        const account = await accountOf(database, caller, accountId);
        const backlog = await measureBacklog(database.kysely, accountId);
        const remote = await remotes.read({ kind: "marketplace", key: accountId });
        return { status: 200, body: statusOf(account, backlog, remote) };
      },
    }),
  ];
};

function statusOf(
  { paused, lastPushAt, maxBatch }: MarketplaceAccount,
  backlog: Awaited<ReturnType<typeof measureBacklog>>,
  { gate, bucket, now }: Awaited<ReturnType<ReturnType<typeof openRemoteStore>["read"]>>,
) {
  const { capacity, restorePerSecond, blockedUntil } = bucket;
  const left = quotaLeft(bucket, now);
  const awayUntil = gate.state === "closed" ? gate.nextProbeAt : blockedUntil;
  return {
    paused,
    gate: {
      state: gate.state,
      since: gate.closedAt,
      code: gate.code,
      message: gate.message,
      nextProbeAt: gate.nextProbeAt,
    },
    quota:
      capacity === null || left === null
        ? null
        : {
            left,
            capacity,
            restorePerSecond,
            blockedUntil: blockedUntil !== null && blockedUntil > now ? blockedUntil : null,
          },
    backlog,
    forecast: paused ? null : forecastOf(backlog, { now, restorePerSecond, maxBatch, awayUntil }),
    lastPushAt,
  };
}

async function accountOf(
  { kysely }: Pick<Database, "kysely">,
  caller: Caller,
  accountId: string,
): Promise<MarketplaceAccount> {
  const account = await findAccount(kysely, scopeOf(caller), accountId);
  if (account === undefined) throw notFound("marketplace account", accountId);
  return account;
}

/** Take an account for an order, and write down who gave it and why. */
async function orderOn(
  { caller, params: { accountId }, body: { reason }, tx }: Order,
  verb: "sync" | "reconcile" | "pause" | "resume",
): Promise<MarketplaceAccount> {
  const account = await lockAccount(tx, scopeOf(caller), accountId);
  if (account === undefined) throw notFound("marketplace account", accountId);
  await recordAction(tx, {
    actor: requestedBy(caller),
    action: `${verb}-marketplace-account`,
    targetKind: "marketplace-account",
    targetId: accountId,
    companyId: account.companyId,
    subject: `marketplace-account:${accountId}`,
    reason,
    before: { paused: account.paused },
    after: { paused: verb === "pause" || (verb !== "resume" && account.paused) },
  });
  return account;
}
