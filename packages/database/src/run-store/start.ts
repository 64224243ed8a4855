import { sql } from "kysely";
import type { Database, Queryable, Tx } from "../database.ts";
import { isUniqueViolation } from "../pg-errors.ts";
import { storableJson, storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import { CRASHED, CRASHED_ALONE, MAX_CRASHES_ALONE } from "./crashes.ts";
import type { Adoption, Run, Start, Started, TerminalState } from "./port.ts";
import { oldestRequest, runColumns } from "./run-columns.ts";
import { DISPATCH_CHANNEL } from "./wake.ts";

/** An attempt that its worker still reports has done so by then; one whose worker died never does. */
const LATE_REPORT_MS = 30_000;

interface StartRow extends Run {
  readonly ord: number;
  readonly verdict: "go" | "over" | "cancel" | "crashed" | "suspect" | "slot_busy" | "running";
  readonly state: string;
  readonly result: unknown;
  readonly errorMessage: string | null;
}

/** Start many at once; answers are in the order of `starts`. */
export async function start(db: Queryable, starts: readonly Start[]): Promise<Started[]> {
  if (starts.length === 0) return [];
  if (hasTwins(starts)) return await startOneByOne(db, starts);
  try {
    return await startTogether(db, starts);
  } catch (error) {
    // Another process started a run of one of these slots between our look and our write.
    if (!isUniqueViolation(error)) throw error;
    return starts.length === 1 ? [{ kind: "slot_busy" }] : await startOneByOne(db, starts);
  }
}

/** The same job twice in one batch: the second start must see what the first one did. */
const hasTwins = (starts: readonly Start[]): boolean =>
  new Set(starts.map(({ queue, engineJobId }) => `${queue} ${engineJobId}`)).size < starts.length;

async function startOneByOne(db: Queryable, starts: readonly Start[]): Promise<Started[]> {
  const answers: Started[] = [];
  for (const one of starts) answers.push(...(await start(db, [one])));
  return answers;
}

/**
 * One statement. Rows are locked in the order of their ids, as all batches do, so that two batches
 * never wait for each other; what is decided is decided on the locked, latest version.
 */
async function startTogether(db: Queryable, starts: readonly Start[]): Promise<Started[]> {
  const asked = starts.map((one, ord) => ({
    ord,
    attempt_id: one.attemptId,
    queue: one.queue,
    engine_job_id: one.engineJobId,
    worker: one.worker,
    stalled: one.stalled ?? false,
    stalls: one.stalls ?? null,
    alone: one.alone ?? false,
    first: one.first ?? false,
  }));
  const { rows } = await sql<StartRow>`
    WITH asked AS (
      SELECT * FROM jsonb_to_recordset(${storableJson(asked)}::jsonb)
        AS a(ord int, attempt_id uuid, queue text, engine_job_id text, worker text, stalled boolean,
             stalls int, alone boolean, first boolean)
    ), locked AS MATERIALIZED (
      SELECT r.*, a.ord, a.attempt_id, a.worker, a.stalls, a.alone, a.first,
             r.running_attempt_id <> a.attempt_id AS unreported,
             -- The engine counts all stalls of a job: only one since that start is about its attempt.
             CASE WHEN a.stalls IS NULL OR r.running_stalls IS NULL THEN a.stalled
                  ELSE a.stalls > r.running_stalls END AS has_stalled
      FROM asked a JOIN job_runs r ON r.queue = a.queue AND r.engine_job_id = a.engine_job_id
      ORDER BY r.id FOR UPDATE OF r
    ), told AS (
      -- A report may be late by a moment; an engine that was wiped knows of no stall.
      SELECT l.*, l.unreported AND (l.has_stalled
               OR l.touched_at < now() - ${LATE_REPORT_MS} * interval '1 millisecond') AS is_lost
      FROM locked l
    ), counted AS (
      -- Who is handed back may begin again before that is reported: no process ended under it.
      SELECT l.*, l.crashes_alone + CASE WHEN l.is_lost AND l.running_alone THEN 1 ELSE 0 END
                    AS crash_count
      FROM told l
    ), judged AS MATERIALIZED (
      SELECT l.*, CASE
        WHEN l.state IN ('completed', 'dead', 'cancelled') THEN 'over'
        WHEN l.cancel_requested_at IS NOT NULL THEN 'cancel'
        WHEN l.crash_count >= ${MAX_CRASHES_ALONE} THEN 'crashed'
        WHEN NOT l.alone AND (l.suspect_since IS NOT NULL OR l.is_lost) THEN 'suspect'
        WHEN l.state = 'started' AND l.unreported AND l.first THEN 'running'
        WHEN l.state = 'started' THEN 'go'
        -- Held again by a wish that joined after it was handed over.
        WHEN l.held_for IS NOT NULL THEN 'slot_busy'
        WHEN l.slot IS NOT NULL AND EXISTS (
          SELECT 1 FROM job_runs o
          WHERE o.queue = l.queue AND o.slot = l.slot AND o.state = 'started') THEN 'slot_busy'
        ELSE 'go' END AS verdict
      FROM counted l
    ), lost AS (
      -- Its worker died, or has not reported yet: a late report overwrites this.
      INSERT INTO job_attempts (id, run_id, started_at, ended_at, outcome, code, message, worker)
      SELECT j.running_attempt_id, j.id, j.running_since, now(), 'lost', 'worker_lost',
             'the worker stopped without a word', j.running_on
      FROM judged j
      WHERE j.verdict IN ('go', 'cancel', 'crashed', 'suspect') AND j.unreported
      ON CONFLICT (id) DO NOTHING
    ), begun AS (
      UPDATE job_runs r SET
        state = 'started', started_at = coalesce(r.started_at, now()),
        running_attempt_id = j.attempt_id, running_since = now(), running_on = j.worker,
        running_alone = j.alone, running_stalls = j.stalls, crashes_alone = j.crash_count,
        handed_at = coalesce(r.handed_at, now()), touched_at = now(), claimed_until = NULL,
        next_attempt_at = NULL, wait_code = NULL, wait_message = NULL,
        change_no = nextval('job_run_changes')
      FROM judged j WHERE r.id = j.id AND j.verdict = 'go'
    ), set_aside AS (
      UPDATE job_runs r SET
        suspect_since = coalesce(r.suspect_since, now()), crashes_alone = j.crash_count,
        running_attempt_id = NULL, running_since = NULL, running_on = NULL, running_alone = false,
        next_attempt_at = NULL, wait_code = 'quarantined',
        wait_message = 'a process ended while it ran: it runs alone, once a worker has finished all else',
        touched_at = now(), change_no = nextval('job_run_changes')
      FROM judged j WHERE r.id = j.id AND j.verdict = 'suspect'
    ), crashed AS (
      UPDATE job_runs r SET
        state = 'dead', finished_at = now(), error_code = ${CRASHED}, error_message = ${CRASHED_ALONE},
        crashes_alone = j.crash_count, running_attempt_id = NULL, running_since = NULL,
        running_on = NULL, running_alone = false, next_attempt_at = NULL, wait_code = NULL,
        wait_message = NULL, change_no = nextval('job_run_changes')
      FROM judged j WHERE r.id = j.id AND j.verdict = 'crashed'
      RETURNING pg_notify(${DISPATCH_CHANNEL}, '')
    ), cancelled AS (
      UPDATE job_runs r SET
        state = 'cancelled', finished_at = now(), running_attempt_id = NULL, running_since = NULL,
        running_on = NULL, next_attempt_at = NULL, wait_code = NULL, wait_message = NULL,
        change_no = nextval('job_run_changes')
      FROM judged j WHERE r.id = j.id AND j.verdict = 'cancel'
      RETURNING pg_notify(${DISPATCH_CHANNEL}, '')
    )
    SELECT r.ord, r.verdict, r.state, r.result, r.error_message, ${runColumns}
    FROM judged r ${oldestRequest}`.execute(db);
  const answers = new Map(rows.map((row) => [row.ord, answerOf(row)]));
  const absent = asked.filter(({ ord }) => !answers.has(ord));
  // Looked for second, since runs move there from the live ones.
  if (absent.length > 0)
    for (const { ord, ...over } of await inHistory(db, absent)) answers.set(ord, over);
  return starts.map((_, ord) => answers.get(ord) ?? { kind: "unknown" });
}

type Over = Extract<Started, { kind: "over" }>;

/** Those among `asked` that ended so long ago that they moved: the engine has a copy all the same. */
async function inHistory(
  db: Queryable,
  asked: readonly { ord: number; queue: string; engine_job_id: string }[],
): Promise<(Over & { ord: number })[]> {
  const { rows } = await sql<Omit<Over, "kind"> & { ord: number }>`
    SELECT a.ord, r.state, r.result, r.error_message AS error
    FROM jsonb_to_recordset(${storableJson(asked)}::jsonb) AS a(ord int, queue text, engine_job_id text)
    JOIN job_runs_history r ON r.queue = a.queue AND r.engine_job_id = a.engine_job_id`.execute(db);
  return rows.map((row) => ({ kind: "over", ...row }));
}

function answerOf(row: StartRow): Started {
  const { ord: _, verdict, state, result, errorMessage, ...run } = row;
  switch (verdict) {
    case "go":
      return { kind: "go", run };
    case "slot_busy":
    case "running":
      return { kind: verdict };
    case "cancel":
      return { kind: "over", state: "cancelled", result: null, error: null };
    case "suspect":
      return { kind: "suspect", runId: run.id };
    case "crashed":
      return { kind: "over", state: "dead", result: null, error: CRASHED_ALONE };
    case "over":
      return { kind: "over", state: state as TerminalState, result, error: errorMessage };
    default:
      return verdict satisfies never;
  }
}

/**
 * Take in another team's job at its first attempt, started; once it is here, this is a plain start.
 *
 * A request id that is taken already is replaced by a new one: two jobs must not share a status page.
 */
export async function adopt(database: Database, job: Adoption): Promise<Started> {
  const runId = uuidv7();
  const isAdopted = await database
    .transaction(async (tx) => {
      await renameFormer(tx, job);
      const { rows } = await sql`
        INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject,
                              slot, state, priority, deadline_at, origin, created_at, handed_at,
                              touched_at, started_at, running_attempt_id, running_since, running_on)
        VALUES (${runId}, ${job.queue}, ${storableText(job.engineJobId)}, ${storableText(job.job)}, ${job.version},
                ${storableJson(job.payload)}, ${job.companyId}, ${storableText(job.subject)}, ${storableText(job.slot)},
                'started', 0, ${job.deadlineAt}, 'external', ${job.createdAt}, ${job.createdAt},
                now(), now(), ${job.attemptId}, now(), ${job.worker})
        ON CONFLICT ON CONSTRAINT job_runs_engine_job DO NOTHING
        RETURNING id`.execute(tx);
      if (rows.length === 0) return true;
      // After the insert, which waits for whoever moves a run of that id.
      const known = { ord: 0, queue: job.queue, engine_job_id: storableText(job.engineJobId) };
      if ((await inHistory(tx, [known])).length > 0) {
        await tx.deleteFrom("jobRuns").where("id", "=", runId).execute();
        return true;
      }
      const addRequest = (id: string) =>
        tx
          .insertInto("jobRequests")
          .values({
            id,
            runId,
            requestedBy: storableText(job.requestedBy),
            traceparent: storableText(job.traceparent),
            joined: false,
            createdAt: job.createdAt,
          })
          .onConflict((oc) => oc.column("id").doNothing())
          .executeTakeFirst();
      const added = await addRequest(job.requestId ?? uuidv7());
      if (added.numInsertedOrUpdatedRows === 0n) await addRequest(uuidv7());
      return true;
    })
    .catch((error: unknown) => {
      if (isUniqueViolation(error, "job_runs_slot_started")) return false;
      throw error;
    });
  if (!isAdopted) return { kind: "slot_busy" };
  const [answer = { kind: "unknown" as const }] = await start(database.kysely, [job]);
  return answer;
}

/**
 * A run that was adopted before other teams' jobs were known by when they were added too, under its id alone: the
 * job is the same if it was added at the same time.
 */
async function renameFormer(tx: Tx, job: Adoption): Promise<void> {
  const addedAt = `@${job.createdAt.getTime()}`;
  if (!job.engineJobId.endsWith(addedAt)) return;
  await sql`
    UPDATE job_runs r SET engine_job_id = ${storableText(job.engineJobId)}
    WHERE r.queue = ${job.queue} AND r.engine_job_id = ${storableText(job.engineJobId.slice(0, -addedAt.length))}
      AND r.origin = 'external' AND r.created_at = ${job.createdAt} AND r.state <> 'dead'
      AND NOT EXISTS (SELECT FROM job_runs o
                      WHERE o.queue = r.queue AND o.engine_job_id = ${storableText(job.engineJobId)})`.execute(
    tx,
  );
}
