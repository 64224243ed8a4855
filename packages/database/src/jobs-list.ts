import { type RawBuilder, sql } from "kysely";
import type { Queryable } from "./database.ts";
import {
  HISTORY,
  type JobRequestSummary,
  LIVE,
  requestColumns,
  runView,
  type SummaryRow,
  summaryOf,
} from "./jobs-view.ts";
import type { RunState } from "./run-store/port.ts";
import type { CompanyScope } from "./scope.ts";

export interface JobRequestFilter {
  readonly queue?: string;
  readonly state?: RunState;
  /** Exactly this business thing, e.g. `invoice:0190…`. */
  readonly subject?: string;
  /** Asked for at this time or later. */
  readonly since?: Date;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/**
 * Requests in scope, newest first. `nextCursor` is `null` on the last page.
 *
 * Live ones and those in history each come sorted from an index and stop at a page's length, so that
 * a page costs the same however long the history is.
 */
export async function listJobRequests(
  db: Queryable,
  scope: CompanyScope,
  filter: JobRequestFilter = {},
): Promise<{ requests: JobRequestSummary[]; nextCursor: string | null }> {
  const { state, since, limit = 50, cursor } = filter;
  const before = cursor === undefined ? undefined : await placeOf(db, scope, cursor);
  // Another company's request is as if it were not there.
  if (cursor !== undefined && before === undefined) return { requests: [], nextCursor: null };
  const atMost = sql`ORDER BY q.created_at DESC, q.id DESC LIMIT ${limit + 1}`;
  const live = sql`
    SELECT ${requestColumns}, ${runView}
    FROM ${LIVE.requests} q JOIN ${LIVE.runs} r ON ${LIVE.ofRun}
    WHERE ${conditions(sql`r`, scope, filter, before)} ${atMost}`;
  const moved = sql`
    SELECT ${requestColumns}, ${runView}
    FROM (
      SELECT * FROM ${HISTORY.requests} q
      WHERE ${conditions(sql`q`, scope, filter, before)} AND ${endedSince(since)} ${atMost}
    ) q JOIN ${HISTORY.runs} r ON ${HISTORY.ofRun}`;
  const isOver = state !== "waiting" && state !== "started";
  const { rows } = await sql<SummaryRow>`
    SELECT * FROM (
      (${live}) ${isOver ? sql`UNION ALL (${moved})` : sql``}
    ) job ORDER BY requested_at DESC, request_id DESC LIMIT ${limit + 1}`.execute(db);
  const requests = rows.slice(0, limit).map(summaryOf);
  const last = requests.at(-1);
  return { requests, nextCursor: rows.length > limit && last ? last.requestId : null };
}

/** A request's place in the list; its time as text, since a Date holds milliseconds only. */
interface ListPlace {
  readonly createdAt: string;
  readonly id: string;
}

async function placeOf(
  db: Queryable,
  scope: CompanyScope,
  requestId: string,
): Promise<ListPlace | undefined> {
  const { rows } = await sql<ListPlace>`
    SELECT q.created_at::text AS created_at, q.id
    FROM all_job_requests q JOIN all_job_runs r ON r.id = q.run_id
    WHERE q.id = ${requestId} AND ${ofCompany(sql`r`, scope)}`.execute(db);
  return rows[0];
}

const ofCompany = (of: RawBuilder<unknown>, scope: CompanyScope) =>
  scope === "all" ? sql`true` : sql`${of}.company_id = ${scope}::uuid`;

/** @param of what holds the facts of the run: the run itself, or its request in history */
function conditions(
  of: RawBuilder<unknown>,
  scope: CompanyScope,
  { queue, state, subject, since }: JobRequestFilter,
  before: ListPlace | undefined,
): RawBuilder<unknown> {
  const all = [
    ofCompany(of, scope),
    ...(queue === undefined ? [] : [sql`${of}.queue = ${queue}`]),
    ...(state === undefined ? [] : [sql`${of}.state = ${state}`]),
    ...(subject === undefined ? [] : [sql`${of}.subject = ${subject}`]),
    ...(since === undefined ? [] : [sql`q.created_at >= ${since}`]),
    ...(before === undefined
      ? []
      : [sql`(q.created_at, q.id) < (${before.createdAt}::text::timestamptz, ${before.id}::uuid)`]),
  ];
  return sql.join(all, sql` AND `);
}

/** What was asked for since then also ended since then, give or take the clocks of workers: fewer partitions. */
const endedSince = (since: Date | undefined) =>
  since === undefined ? sql`true` : sql`q.finished_at >= ${since}::timestamptz - interval '1 day'`;
