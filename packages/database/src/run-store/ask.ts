import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { storableJson } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import type { Asked, Lineage, NewRequest, NewRun } from "./port.ts";
import { notifyDispatchers } from "./wake.ts";

/**
 * Record a wish: a new run, or a place in the one that waits in its slot. The wish to do again what
 * died also finds its place in one that is started, since that is doing the same work.
 *
 * One statement decides. If the waiting run is being started at this moment, PostgreSQL waits for that
 * start to commit and then inserts afresh, so a run that has begun never swallows a wish.
 *
 * To hold a run for something that another transaction may finish meanwhile: ask first, then look for
 * that thing, and `release` if it is there. Both take one lock per key, so one of them sees the other.
 */
export async function ask(
  tx: Tx,
  run: NewRun,
  request: NewRequest,
  lineage?: Lineage,
): Promise<Asked> {
  const requestId = request.id ?? uuidv7();
  if (lineage?.isChanged === false) {
    const started = await joinStarted(tx, run, lineage);
    if (started !== undefined) {
      await addRequest(tx, requestId, started, request);
      return { requestId, runId: started, joined: true };
    }
  }
  if (run.heldFor !== null) await lockHold(tx, run.heldFor);
  const newRunId = uuidv7();
  const { replayOf = null, generation = 1, isChanged = true } = lineage ?? {};
  const origin = lineage === undefined ? "request" : "replay";
  const { rows } = await sql<{ runId: string }>`
    WITH run AS (
      INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject,
                            slot, priority, due_at, deadline_at, held_for, generation, replay_of, origin)
      VALUES (${newRunId}, ${run.queue}, ${newRunId}, ${run.job}, ${run.version},
              ${storableJson(run.payload)}, ${run.companyId}, ${run.subject}, ${run.slot},
              ${run.priority}, ${run.dueAt}, ${run.deadlineAt}, ${run.heldFor},
              ${generation}, ${replayOf}, ${origin})
      ON CONFLICT (queue, slot) WHERE state = 'waiting' DO UPDATE SET
        -- A replay asks for what was wanted before it died, and what waits was wanted later.
        version = CASE WHEN ${isChanged} THEN excluded.version ELSE job_runs.version END,
        payload = CASE WHEN ${isChanged} THEN excluded.payload ELSE job_runs.payload END,
        held_for = CASE WHEN ${isChanged} THEN excluded.held_for ELSE job_runs.held_for END,
        priority = least(job_runs.priority, excluded.priority),
        -- No due time means now, which is earlier than any.
        due_at = CASE WHEN job_runs.due_at IS NOT NULL AND excluded.due_at IS NOT NULL
                      THEN least(job_runs.due_at, excluded.due_at) END,
        deadline_at = greatest(job_runs.deadline_at, excluded.deadline_at),
        generation = greatest(job_runs.generation, excluded.generation),
        replay_of = coalesce(job_runs.replay_of, excluded.replay_of),
        change_no = nextval('job_run_changes')
      RETURNING id
    )
    INSERT INTO job_requests (id, run_id, requested_by, traceparent, joined)
    SELECT ${requestId}, run.id, ${request.requestedBy}, ${request.traceparent}, run.id <> ${newRunId}
    FROM run
    RETURNING run_id`.execute(tx);
  const runId = rows[0]?.runId;
  if (runId === undefined) throw new Error(`request ${requestId} was not recorded`);
  if (run.heldFor === null) await notifyDispatchers(tx);
  return { requestId, runId, joined: runId !== newRunId };
}

/**
 * Give a replay to the run of its slot that is started, unless another waits, which starts later and
 * therefore sees more. What died before it started may have been wished after the started one began,
 * which then knows nothing of it: that gets a run of its own.
 *
 * Locks the run: either it was over, or this wish is one of its requests when it ends.
 */
async function joinStarted(tx: Tx, run: NewRun, lineage: Lineage): Promise<string | undefined> {
  if (run.slot === null) return undefined;
  const { rows } = await sql<{ id: string }>`
    UPDATE job_runs r SET
      generation = greatest(r.generation, ${lineage.generation}),
      replay_of = coalesce(r.replay_of, ${lineage.replayOf}::uuid),
      deadline_at = greatest(r.deadline_at, ${run.deadlineAt}),
      change_no = nextval('job_run_changes')
    WHERE r.queue = ${run.queue} AND r.slot = ${run.slot} AND r.state = 'started'
      -- One that is being cancelled ends without having done the work.
      AND r.cancel_requested_at IS NULL
      AND EXISTS (
        SELECT 1 FROM all_job_runs d
        WHERE d.id = ${lineage.replayOf} AND d.started_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT 1 FROM job_runs w
        WHERE w.queue = r.queue AND w.slot = r.slot AND w.state = 'waiting')
    RETURNING r.id`.execute(tx);
  return rows[0]?.id;
}

async function addRequest(tx: Tx, id: string, runId: string, request: NewRequest): Promise<void> {
  const { requestedBy, traceparent } = request;
  await tx
    .insertInto("jobRequests")
    .values({ id, runId, requestedBy, traceparent, joined: true })
    .execute();
}

/** Let the runs held for `key` go. @returns how many */
export async function release(tx: Tx, key: string): Promise<number> {
  await lockHold(tx, key);
  const { numUpdatedRows } = await tx
    .updateTable("jobRuns")
    .set({ heldFor: null, changeNo: sql<bigint>`nextval('job_run_changes')` })
    .where("heldFor", "=", key)
    .where("state", "=", "waiting")
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await notifyDispatchers(tx);
  return Number(numUpdatedRows);
}

/** Until `tx` ends. A collision of two keys' hashes costs a wait, nothing else. */
const lockHold = (tx: Tx, key: string) =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ballast:hold:${key}`}, 0))`.execute(tx);
