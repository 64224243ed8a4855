import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { RunState } from "./run-store/port.ts";
import type { CompanyScope } from "./scope.ts";

/** One request and the run that fulfils it, for people and for `/v1/jobs`. */
export interface JobRequestSummary {
  readonly requestId: string;
  readonly requestedBy: string | null;
  readonly traceparent: string | null;
  /** A run that waited already took this wish in. */
  readonly joined: boolean;
  readonly requestedAt: Date;
  readonly cancelledAt: Date | null;
  readonly run: RunView;
}

export interface RunView {
  readonly id: string;
  readonly queue: string;
  readonly engineJobId: string;
  readonly job: string;
  readonly version: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly slot: string | null;
  readonly state: RunState;
  readonly priority: number;
  readonly dueAt: Date | null;
  readonly deadlineAt: Date;
  readonly heldFor: string | null;
  readonly generation: number;
  readonly replayOf: string | null;
  readonly origin: "request" | "external" | "replay";
  readonly createdAt: Date;
  readonly claimedUntil: Date | null;
  readonly handedAt: Date | null;
  readonly touchedAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly attemptsMade: number;
  /** Set while a worker has it. */
  readonly runningAttemptId: string | null;
  readonly runningSince: Date | null;
  readonly runningOn: string | null;
  /** Between attempts: when the next is due, and why it waits. */
  readonly nextAttemptAt: Date | null;
  readonly waitCode: string | null;
  readonly waitMessage: string | null;
  readonly progress: unknown;
  readonly result: unknown;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly cancelRequestedAt: Date | null;
  /** Grows with every change that a person can see. */
  readonly changeNo: number;
}

export interface AttemptView {
  readonly id: string;
  readonly startedAt: Date | null;
  readonly endedAt: Date;
  readonly outcome:
    | "completed"
    | "retry"
    | "postpone"
    | "interrupted"
    | "cancelled"
    | "dead"
    /** Its worker died before it could report. */
    | "lost";
  readonly code: string | null;
  readonly message: string | null;
  readonly stack: string | null;
  readonly nextAttemptAt: Date | null;
  readonly worker: string | null;
}

export interface JobRequestView extends JobRequestSummary {
  /** Oldest first. */
  readonly attempts: readonly AttemptView[];
  /** The started run of its slot, which a waiting one waits for. */
  readonly blockedBy: { runId: string; requestId: string | null; startedAt: Date | null } | null;
  /** Waiting runs of its queue that go to the engine before it; 0 once it was handed over. */
  readonly aheadOfIt: number;
  /** Live requests besides this one that wait for the same run. */
  readonly otherRequests: number;
}

/** Where runs stand: among those that live, or in history once they have been over for a while. */
interface Place {
  readonly runs: RawBuilder<unknown>;
  readonly requests: RawBuilder<unknown>;
  readonly attempts: RawBuilder<unknown>;
  /** What makes request `q` one of run `r`; in history with the month, so that one partition is looked into. */
  readonly ofRun: RawBuilder<unknown>;
}

export const LIVE: Place = {
  runs: sql`job_runs`,
  requests: sql`job_requests`,
  attempts: sql`job_attempts`,
  ofRun: sql`r.id = q.run_id`,
};
export const HISTORY: Place = {
  runs: sql`job_runs_history`,
  requests: sql`job_requests_history`,
  attempts: sql`job_attempts_history`,
  ofRun: sql`r.id = q.run_id AND r.finished_at = q.finished_at`,
};

export const runView = sql`
  r.id, r.queue, r.engine_job_id, r.job, r.version, r.payload, r.company_id, r.subject, r.slot,
  r.state, r.priority, r.due_at, r.deadline_at, r.held_for, r.generation, r.replay_of, r.origin,
  r.created_at, r.claimed_until, r.handed_at, r.touched_at, r.started_at, r.finished_at,
  r.attempts_made, r.running_attempt_id, r.running_since, r.running_on, r.next_attempt_at,
  r.wait_code, r.wait_message, r.progress, r.result, r.error_code, r.error_message,
  r.cancel_requested_at, r.change_no::float8 AS change_no`;

export const requestColumns = sql`
  q.id AS request_id, q.requested_by, q.traceparent, q.joined, q.created_at AS requested_at, q.cancelled_at`;

export type SummaryRow = Omit<JobRequestSummary, "run"> & RunView;

export function summaryOf(row: SummaryRow): JobRequestSummary {
  const { requestId, requestedBy, traceparent, joined, requestedAt, cancelledAt, ...run } = row;
  return { requestId, requestedBy, traceparent, joined, requestedAt, cancelledAt, run };
}

/** Rows of other companies, and those of none, are for a caller of all companies alone. */
const inScope = (scope: CompanyScope) =>
  scope === "all" ? sql<SqlBool>`true` : sql<SqlBool>`r.company_id = ${scope}::uuid`;

/** Look among what lives, then in history: in this order, since a run moves only that way. */
const inEither = async <T>(look: (place: Place) => Promise<T | undefined>) =>
  (await look(LIVE)) ?? (await look(HISTORY));

/** Everything there is to say about one request; `undefined` if it is not there or not in scope. */
export const findJobRequest = (
  db: Queryable,
  requestId: string,
  scope: CompanyScope,
): Promise<JobRequestView | undefined> =>
  inEither((place) => viewOf(db, place, sql`q.id = ${requestId} AND ${inScope(scope)}`));

/** The same, by the id a job has in the engine; the oldest request speaks for it. Of any company. */
export const findJobByEngineId = (
  db: Queryable,
  queue: string,
  engineJobId: string,
): Promise<JobRequestView | undefined> =>
  inEither((place) =>
    viewOf(db, place, sql`r.queue = ${queue} AND r.engine_job_id = ${engineJobId}`),
  );

async function viewOf(
  db: Queryable,
  place: Place,
  condition: RawBuilder<unknown>,
): Promise<JobRequestView | undefined> {
  type Row = SummaryRow & Pick<JobRequestView, "aheadOfIt" | "otherRequests">;
  const { rows } = await sql<Row>`
    SELECT ${requestColumns}, ${runView},
      CASE WHEN r.state <> 'waiting' OR r.handed_at IS NOT NULL THEN 0 ELSE (
        SELECT count(*)::int FROM job_runs o
        WHERE o.queue = r.queue AND o.state = 'waiting' AND o.handed_at IS NULL AND o.held_for IS NULL
          AND (o.due_at IS NULL OR o.due_at <= now())
          AND (o.priority, coalesce(o.due_at, o.created_at), o.id)
            < (r.priority, coalesce(r.due_at, r.created_at), r.id)) END AS ahead_of_it,
      (SELECT count(*)::int FROM ${place.requests} x
       WHERE x.run_id = r.id AND x.id <> q.id AND x.cancelled_at IS NULL) AS other_requests
    FROM ${place.requests} q JOIN ${place.runs} r ON ${place.ofRun}
    WHERE ${condition}
    ORDER BY q.created_at, q.id
    LIMIT 1`.execute(db);
  const row = rows[0];
  if (row === undefined) return undefined;
  const { aheadOfIt, otherRequests, ...summary } = row;
  return {
    ...summaryOf(summary),
    attempts: await attemptsOf(db, place, row),
    blockedBy: row.state === "waiting" ? await blockerOf(db, row) : null,
    aheadOfIt,
    otherRequests,
  };
}

async function attemptsOf(db: Queryable, place: Place, run: RunView): Promise<AttemptView[]> {
  const { rows } = await sql<AttemptView>`
    SELECT id, started_at, ended_at, outcome, code, message, stack, next_attempt_at, worker
    FROM ${place.attempts} WHERE run_id = ${run.id}
    ORDER BY coalesce(started_at, ended_at), ended_at`.execute(db);
  // Moved since its run was read: all of it moves at once.
  const hasMoved = rows.length === 0 && place === LIVE && run.finishedAt !== null;
  return hasMoved ? await attemptsOf(db, HISTORY, run) : rows;
}

async function blockerOf(db: Queryable, run: RunView): Promise<JobRequestView["blockedBy"]> {
  if (run.slot === null) return null;
  const { rows } = await sql<NonNullable<JobRequestView["blockedBy"]>>`
    SELECT o.id AS run_id, o.started_at,
      (SELECT q.id FROM job_requests q WHERE q.run_id = o.id ORDER BY q.created_at, q.id LIMIT 1) AS request_id
    FROM job_runs o
    WHERE o.queue = ${run.queue} AND o.slot = ${run.slot} AND o.state = 'started'`.execute(db);
  return rows[0] ?? null;
}

/** Which of these runs have changed since `changeNo`, each with its own newest number. */
export async function changedSince(
  db: Queryable,
  runIds: readonly string[],
  changeNo: number,
): Promise<{ runId: string; changeNo: number }[]> {
  if (runIds.length === 0) return [];
  const changes = await numbersOf(db, LIVE, runIds);
  const live = new Set(changes.map(({ runId }) => runId));
  const moved = runIds.filter((id) => !live.has(id));
  if (moved.length > 0) changes.push(...(await numbersOf(db, HISTORY, moved)));
  return changes
    .filter((change) => change.changeNo > changeNo)
    .sort((one, other) => one.changeNo - other.changeNo);
}

async function numbersOf(db: Queryable, { runs }: Place, runIds: readonly string[]) {
  const { rows } = await sql<{ runId: string; changeNo: number }>`
    SELECT id AS run_id, change_no::float8 AS change_no FROM ${runs}
    WHERE id = ANY(${[...runIds]}::uuid[])`.execute(db);
  return rows;
}
