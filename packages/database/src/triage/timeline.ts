import { type RawBuilder, sql } from "kysely";
import type { Queryable } from "../database.ts";

/** One thing that happened to an invoice, or was done about it. */
export interface TimelineEntry {
  readonly at: Date;
  readonly kind: "invoice" | "request" | "attempt" | "document" | "mail" | "dead-letter" | "action";
  /** What happened: a state, an outcome, a verb. */
  readonly event: string;
  /** Who did it: a caller, a worker, an operator. */
  readonly by: string | null;
  readonly job: string | null;
  /** Of the request, the letter, the delivery …, by kind. */
  readonly id: string;
  readonly runId: string | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** More than anybody reads; of a longer story the latest part is told. */
const MAX_ENTRIES = 1_000;

/**
 * Everything that happened to an invoice of a company, the first first.
 *
 * Also what the engine forgot and what moved to history. `isComplete` is false where only the latest
 * thousand entries are told.
 */
export async function invoiceTimeline(
  db: Queryable,
  invoice: { readonly id: string; readonly companyId: string },
): Promise<{ entries: TimelineEntry[]; isComplete: boolean }> {
  const subject = `invoice:${invoice.id}`;
  const isOurs = (of: RawBuilder<unknown>) =>
    sql`${of}.subject = ${subject} AND ${of}.company_id = ${invoice.companyId}::uuid`;
  const ofInvoice = sql`invoice_id = ${invoice.id}::uuid AND company_id = ${invoice.companyId}::uuid`;
  const { rows } = await sql<TimelineEntry>`
    WITH runs AS MATERIALIZED (
      SELECT id, job FROM job_runs r WHERE ${isOurs(sql`r`)}
      UNION ALL
      SELECT id, job FROM job_runs_history r WHERE ${isOurs(sql`r`)}
    ), requests AS MATERIALIZED (
      SELECT q.*, r.job FROM runs r JOIN job_requests q ON q.run_id = r.id
      UNION ALL
      SELECT q.id, q.run_id, q.requested_by, q.traceparent, q.joined, q.created_at, q.cancelled_at, r.job
      FROM runs r JOIN job_requests_history q ON q.run_id = r.id
    ), attempts AS (
      SELECT a.*, r.job FROM runs r JOIN all_job_attempts a ON a.run_id = r.id
    ), mails AS MATERIALIZED (
      SELECT * FROM email_deliveries WHERE ${ofInvoice}
    ), letters AS MATERIALIZED (
      SELECT * FROM dead_letters l WHERE ${isOurs(sql`l`)}
    ), entries AS (
      SELECT step.at, 'invoice' AS kind, step.event, NULL AS by, NULL AS job, i.id::text AS id,
             NULL::uuid AS run_id, NULL AS code, NULL AS message
      FROM invoices i, LATERAL (VALUES
        (i.created_at, 'created'), (i.issued_at, 'issued'), (i.paid_at, 'paid'), (i.voided_at, 'voided')
      ) AS step(at, event)
      WHERE i.id = ${invoice.id} AND i.company_id = ${invoice.companyId} AND step.at IS NOT NULL
      UNION ALL
      SELECT created_at, 'request', CASE WHEN joined THEN 'joined' ELSE 'asked' END, requested_by, job,
             id::text, run_id, NULL, NULL
      FROM requests
      UNION ALL
      SELECT cancelled_at, 'request', 'cancelled', NULL, job, id::text, run_id, NULL, NULL
      FROM requests WHERE cancelled_at IS NOT NULL
      UNION ALL
      SELECT ended_at, 'attempt', outcome, worker, job, id::text, run_id, code, message FROM attempts
      UNION ALL
      SELECT created_at, 'document', 'rendered', NULL, NULL, id::text, NULL, NULL,
             'revision ' || revision || ', ' || locale || ', ' || page_count || ' pages'
      FROM documents WHERE ${ofInvoice}
      UNION ALL
      SELECT created_at, 'mail', 'planned', NULL, NULL, id::text, NULL, NULL,
             'mail ' || ordinal || ' to ' || recipient || coalesce(': ' || reason, '')
      FROM mails
      UNION ALL
      SELECT sent_at, 'mail', 'sent', NULL, NULL, id::text, NULL, NULL, response
      FROM mails WHERE sent_at IS NOT NULL
      UNION ALL
      SELECT died_at, 'dead-letter', 'died', worker, job, run_id::text, run_id, code, message FROM letters
      UNION ALL
      -- What was decided about letters stands here, too.
      SELECT at, 'action', action, actor, NULL, id::text, NULL, NULL, reason
      FROM operator_actions o WHERE ${isOurs(sql`o`)}
    )
    SELECT * FROM entries ORDER BY at DESC, kind DESC, id DESC LIMIT ${MAX_ENTRIES + 1}`.execute(
    db,
  );
  const isComplete = rows.length <= MAX_ENTRIES;
  return { entries: rows.slice(0, MAX_ENTRIES).reverse(), isComplete };
}
