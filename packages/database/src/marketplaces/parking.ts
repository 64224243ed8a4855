import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { storableJson, storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";

/** A piece of work that is dead in the moment it is written down, and is parked as a letter by that. */
export interface StillbornRun {
  readonly queue: string;
  readonly job: string;
  readonly version: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly companyId: string;
  readonly subject: string | null;
  readonly priority: number;
  readonly deadlineAt: Date;
  readonly code: string;
  readonly message: string;
}

/**
 * Write runs down that nobody will work on, dead with the reason: each becomes a dead letter of its own, which
 * can be looked at, replayed and discarded like any other. No engine ever hears of them.
 *
 * @returns the runs' ids, which are the letters'
 */
export async function parkStillborn(
  tx: Tx,
  runs: readonly StillbornRun[],
  requestedBy: string,
): Promise<string[]> {
  if (runs.length === 0) return [];
  const rows = runs.map((run) => ({
    id: uuidv7(),
    request_id: uuidv7(),
    queue: run.queue,
    job: run.job,
    version: run.version,
    payload: run.payload,
    company_id: run.companyId,
    subject: run.subject,
    priority: run.priority,
    deadline_at: run.deadlineAt,
    code: run.code,
    message: storableText(run.message),
  }));
  const recordset = sql`jsonb_to_recordset(${storableJson(rows)}::jsonb) AS r(id uuid, request_id uuid,
    queue text, job text, version int, payload jsonb, company_id uuid, subject text, priority int,
    deadline_at timestamptz, code text, message text)`;
  // Without a slot: they stand in nobody's way.
  await sql`
    WITH run AS (
      INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject,
                            priority, deadline_at)
      SELECT r.id, r.queue, r.id, r.job, r.version, r.payload, r.company_id, r.subject, r.priority,
             r.deadline_at
      FROM ${recordset}
    )
    INSERT INTO job_requests (id, run_id, requested_by, joined)
    SELECT r.request_id, r.id, ${requestedBy}, false FROM ${recordset}`.execute(tx);
  // The letter is written by the trigger on this, as with every other death.
  await sql`
    UPDATE job_runs j SET state = 'dead', finished_at = now(), error_code = r.code,
      error_message = r.message, change_no = nextval('job_run_changes')
    FROM ${recordset} WHERE j.id = r.id`.execute(tx);
  return rows.map(({ id }) => id);
}

/** Take a listing out of the park: it is told again. @returns whether it was parked */
export async function unparkListing(tx: Tx, accountId: string, sku: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("listings")
    .set({
      rejectedAt: null,
      rejectedCode: null,
      rejectedMessage: null,
      failures: 0,
      retryAt: null,
    })
    .where("accountId", "=", accountId)
    .where("sku", "=", sku)
    .where("rejectedAt", "is not", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
