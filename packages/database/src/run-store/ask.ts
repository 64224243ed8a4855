import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { storableJson } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import type { Asked, NewRequest, NewRun } from "./port.ts";
import { notifyDispatchers } from "./wake.ts";

/**
 * Record a wish: a new run, or a place in the one that waits in its slot.
 *
 * One statement decides. If the waiting run is being started at this moment, PostgreSQL waits for that
 * start to commit and then inserts afresh, so a run that has begun never swallows a wish.
 *
 * To hold a run for something that another transaction may finish meanwhile: ask first, then look for
 * that thing, and `release` if it is there. Both take one lock per key, so one of them sees the other.
 */
export async function ask(tx: Tx, run: NewRun, request: NewRequest): Promise<Asked> {
  if (run.heldFor !== null) await lockHold(tx, run.heldFor);
  const newRunId = uuidv7();
  const requestId = request.id ?? uuidv7();
  const { rows } = await sql<{ runId: string }>`
    WITH run AS (
      INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject,
                            slot, priority, due_at, deadline_at, held_for)
      VALUES (${newRunId}, ${run.queue}, ${newRunId}, ${run.job}, ${run.version},
              ${storableJson(run.payload)}, ${run.companyId}, ${run.subject}, ${run.slot},
              ${run.priority}, ${run.dueAt}, ${run.deadlineAt}, ${run.heldFor})
      ON CONFLICT (queue, slot) WHERE state = 'waiting' DO UPDATE SET
        version = excluded.version,
        payload = excluded.payload,
        priority = least(job_runs.priority, excluded.priority),
        -- No due time means now, which is earlier than any.
        due_at = CASE WHEN job_runs.due_at IS NOT NULL AND excluded.due_at IS NOT NULL
                      THEN least(job_runs.due_at, excluded.due_at) END,
        deadline_at = greatest(job_runs.deadline_at, excluded.deadline_at),
        held_for = excluded.held_for,
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
