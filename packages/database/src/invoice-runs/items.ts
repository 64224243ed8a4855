import { type Selectable, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { InvoiceRunItemState, Schema } from "../schema.ts";

/** What became of one invoice of a run. */
export type InvoiceRunItem = Readonly<
  Selectable<Schema["invoiceRunItems"]> & { number: string | null }
>;

/** Where a run's invoices stand. */
export interface InvoiceRunCounts {
  readonly pending: number;
  readonly asked: number;
  readonly done: number;
  /** Never begun, e.g. for want of an address, or cancelled by somebody else. */
  readonly failed: number;
  /** Given up: a dead letter of each waits for somebody. */
  readonly dead: number;
  readonly cancelled: number;
  /** That ended within the last minute. */
  readonly endedLately: number;
}

export async function countItems(db: Queryable, invoiceRunId: string): Promise<InvoiceRunCounts> {
  const count = (state: InvoiceRunItemState) =>
    sql`count(*) FILTER (WHERE state = ${sql.lit(state)})::int AS ${sql.ref(state)}`;
  const { rows } = await sql<InvoiceRunCounts>`
    SELECT ${count("pending")}, ${count("asked")}, ${count("done")}, ${count("failed")},
      ${count("dead")}, ${count("cancelled")},
      count(*) FILTER (WHERE ended_at > now() - interval '1 minute')::int AS ended_lately
    FROM invoice_run_items WHERE invoice_run_id = ${invoiceRunId}`.execute(db);
  const [counts] = rows;
  if (counts === undefined) throw new Error(`invoice run ${invoiceRunId} was not counted`);
  return counts;
}

/** Why invoices fell out, the most frequent first, each with one of them. */
export async function fallenByCause(
  db: Queryable,
  invoiceRunId: string,
): Promise<{ code: string; count: number; invoiceId: string; message: string | null }[]> {
  const { rows } = await sql<{
    code: string;
    count: number;
    invoiceId: string;
    message: string | null;
  }>`
    SELECT coalesce(error_code, 'unknown') AS code, count(*)::int AS count,
      min(invoice_id::text) AS invoice_id, min(error_message) AS message
    FROM invoice_run_items
    WHERE invoice_run_id = ${invoiceRunId} AND state IN ('failed', 'dead')
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20`.execute(db);
  return rows;
}

/** A run's invoices in its own order. `nextCursor` is `null` on the last page. */
export async function listItems(
  db: Queryable,
  invoiceRunId: string,
  page: {
    readonly state?: InvoiceRunItemState;
    readonly limit: number;
    /** An invoice: the page begins after it. */
    readonly cursor?: string;
  },
): Promise<{ items: InvoiceRunItem[]; nextCursor: string | null }> {
  const { rows } = await sql<InvoiceRunItem>`
    SELECT x.*, i.number FROM invoice_run_items x JOIN invoices i ON i.id = x.invoice_id
    WHERE x.invoice_run_id = ${invoiceRunId}
      AND (${page.state ?? null}::text IS NULL OR x.state = ${page.state ?? null})
      AND x.position > coalesce((
        SELECT position FROM invoice_run_items
        WHERE invoice_run_id = ${invoiceRunId} AND invoice_id = ${page.cursor ?? null}::uuid), 0)
    ORDER BY x.position LIMIT ${page.limit + 1}`.execute(db);
  const items = rows.slice(0, page.limit);
  return { items, nextCursor: rows.length > page.limit ? (items.at(-1)?.invoiceId ?? null) : null };
}

/** What was not asked for yet is not asked for any more. @returns the wishes that may still be taken back */
export async function cancelItems(tx: Tx, invoiceRunId: string): Promise<string[]> {
  await sql`
    UPDATE invoice_run_items SET state = 'cancelled', ended_at = now()
    WHERE invoice_run_id = ${invoiceRunId} AND state = 'pending'`.execute(tx);
  const { rows } = await sql<{ requestId: string }>`
    SELECT i.request_id FROM invoice_run_items i JOIN job_runs r ON r.id = i.job_run_id
    WHERE i.invoice_run_id = ${invoiceRunId} AND i.state = 'asked' AND i.request_id IS NOT NULL
      AND r.state = 'waiting'`.execute(tx);
  return rows.map(({ requestId }) => requestId);
}

/** The invoice was taken back with its run: nothing failed. */
export async function cancelAsked(
  tx: Tx,
  invoiceRunId: string,
  requestIds: readonly string[],
): Promise<void> {
  if (requestIds.length === 0) return;
  await sql`
    UPDATE invoice_run_items SET state = 'cancelled', ended_at = now()
    WHERE invoice_run_id = ${invoiceRunId} AND state = 'asked'
      AND request_id = ANY(${[...requestIds]}::uuid[])`.execute(tx);
}

/** Try again what fell out. @returns how many invoices */
export async function retryItems(tx: Tx, invoiceRunId: string, by: string): Promise<number> {
  const { rows } = await sql`
    UPDATE invoice_run_items SET state = 'pending', ended_at = NULL
    WHERE invoice_run_id = ${invoiceRunId} AND state IN ('failed', 'dead')
    RETURNING invoice_id`.execute(tx);
  if (rows.length > 0)
    await sql`
      UPDATE invoice_runs SET state = 'running', finished_at = NULL, begun_at = now(), retried_by = ${by}
      WHERE id = ${invoiceRunId}`.execute(tx);
  return rows.length;
}
