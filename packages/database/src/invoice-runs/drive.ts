import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import { storableText } from "../storable.ts";
import type { InvoiceRun } from "./runs.ts";

/** Take the runs that nobody drives, and go on with one's own: of any number of processes one drives each. */
export async function claimInvoiceRuns(
  db: Queryable,
  driver: string,
  leaseMs: number,
): Promise<InvoiceRun[]> {
  const { rows } = await sql<InvoiceRun>`
    UPDATE invoice_runs SET
      driver = ${driver}, driven_until = now() + ${leaseMs} * interval '1 millisecond'
    WHERE id IN (
      SELECT id FROM invoice_runs
      WHERE state IN ('running', 'cancelling')
        AND (driver IS NULL OR driver = ${driver} OR driven_until < now())
      FOR UPDATE SKIP LOCKED)
    RETURNING *`.execute(db);
  return rows;
}

/** An invoice whose turn it is. */
export interface NextItem {
  readonly invoiceId: string;
  /** Asked for before, and to be tried again. */
  readonly isRetry: boolean;
}

export async function nextInvoices(
  db: Queryable,
  invoiceRunId: string,
  limit: number,
): Promise<NextItem[]> {
  const { rows } = await sql<NextItem>`
    SELECT invoice_id, tries > 0 AS is_retry FROM invoice_run_items
    WHERE invoice_run_id = ${invoiceRunId} AND state = 'pending'
    ORDER BY position LIMIT ${limit}`.execute(db);
  return rows;
}

/**
 * Whether this driver still has a say, for as long as the transaction lasts: who cancels the run waits for
 * its end. Shared, so that several invoices are dealt with side by side.
 */
export async function stillDrivingInvoiceRun(tx: Tx, id: string, driver: string): Promise<boolean> {
  const row = await tx
    .selectFrom("invoiceRuns")
    .select("id")
    .where("id", "=", id)
    .where("driver", "=", driver)
    .where("state", "=", "running")
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** What became of an invoice when it was its turn. */
export type ItemOutcome =
  | { readonly state: "asked"; readonly jobRunId: string; readonly requestId: string | null }
  | { readonly state: "done" }
  | { readonly state: "failed"; readonly errorCode: string; readonly errorMessage: string };

export async function recordItem(
  tx: Tx,
  invoiceRunId: string,
  invoiceId: string,
  outcome: ItemOutcome,
): Promise<void> {
  const { state, ...facts } = outcome;
  await tx
    .updateTable("invoiceRunItems")
    .set((eb) => ({
      jobRunId: null,
      requestId: null,
      errorCode: null,
      errorMessage: null,
      ...facts,
      ...("errorMessage" in facts ? { errorMessage: storableText(facts.errorMessage) } : {}),
      state,
      tries: eb("tries", "+", 1),
      endedAt: state === "asked" ? null : sql<Date>`now()`,
    }))
    .where("invoiceRunId", "=", invoiceRunId)
    .where("invoiceId", "=", invoiceId)
    .execute();
}

/** Where the invoices stand that were asked for and are not over. */
export interface AskedNow {
  readonly asked: number;
  /** Of them: those that failed at least once and wait for their next attempt. */
  readonly retrying: number;
}

/** Copy the ends of what was asked for, and count what is left of it. */
export async function settleItems(db: Queryable, invoiceRunId: string): Promise<AskedNow> {
  await sql`
    WITH asked AS (
      SELECT i.invoice_id, i.job_run_id FROM invoice_run_items i
      WHERE i.invoice_run_id = ${invoiceRunId} AND i.state = 'asked'
      FOR UPDATE SKIP LOCKED
    ), ended AS (
      SELECT asked.invoice_id,
        CASE r.state WHEN 'completed' THEN 'done' WHEN 'dead' THEN 'dead' ELSE 'failed' END AS state,
        CASE WHEN r.state = 'cancelled' THEN 'job_cancelled' ELSE r.error_code END AS error_code,
        CASE WHEN r.state = 'cancelled' THEN 'the job was cancelled by somebody else'
             ELSE r.error_message END AS error_message,
        r.finished_at
      FROM asked CROSS JOIN LATERAL (
        SELECT state, error_code, error_message, finished_at FROM job_runs WHERE id = asked.job_run_id
        UNION ALL
        -- Nobody drove it for so long that its runs moved.
        SELECT state, error_code, error_message, finished_at FROM job_runs_history
        WHERE id = asked.job_run_id AND NOT EXISTS (SELECT 1 FROM job_runs WHERE id = asked.job_run_id)) r
      WHERE r.state IN ('completed', 'dead', 'cancelled')
      UNION ALL
      -- A mail that waits for a document which will not come: the death is the document's.
      SELECT asked.invoice_id, CASE d.state WHEN 'dead' THEN 'dead' ELSE 'failed' END,
        CASE d.state WHEN 'dead' THEN coalesce(d.error_code, 'document_dead') ELSE 'job_cancelled' END,
        CASE d.state WHEN 'dead' THEN d.error_message
             ELSE 'the document it waits for was cancelled by somebody else' END,
        d.finished_at
      FROM asked JOIN job_runs r ON r.id = asked.job_run_id AND r.state = 'waiting' AND r.held_for IS NOT NULL
      CROSS JOIN LATERAL (
        SELECT * FROM job_runs d
        WHERE d.subject = 'invoice:' || asked.invoice_id AND d.job = 'render-invoice'
        ORDER BY d.created_at DESC LIMIT 1) d
      WHERE d.state IN ('dead', 'cancelled')
    )
    UPDATE invoice_run_items i
    SET state = ended.state, error_code = ended.error_code, error_message = ended.error_message,
        ended_at = ended.finished_at
    FROM ended WHERE i.invoice_run_id = ${invoiceRunId} AND i.invoice_id = ended.invoice_id`.execute(
    db,
  );
  const { rows } = await sql<AskedNow>`
    SELECT count(*)::int AS asked,
      count(*) FILTER (WHERE r.attempts_made > 0 AND r.next_attempt_at > now())::int AS retrying
    FROM invoice_run_items i LEFT JOIN job_runs r ON r.id = i.job_run_id
    WHERE i.invoice_run_id = ${invoiceRunId} AND i.state = 'asked'`.execute(db);
  return rows[0] ?? { asked: 0, retrying: 0 };
}
