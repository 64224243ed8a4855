import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";

/** What a push finds when it begins. */
export type PushBegun =
  | { readonly kind: "gone" }
  | { readonly kind: "paused" }
  /** Everything was told, or what was not may not be tried again yet. */
  | { readonly kind: "nothing" }
  /** The account's window is not over: changes that come until `dueAt` are told together. */
  | { readonly kind: "coalescing"; readonly dueAt: Date }
  | { readonly kind: "begun"; readonly at: Date };

/** A listing that is being told. */
export interface ListingToPush {
  readonly sku: string;
  readonly externalId: string;
  readonly quantity: number;
  readonly version: bigint;
  readonly confirmed: number | null;
  readonly urgent: boolean;
}

/** What became of one listing that was told. */
export interface PushOutcome extends Pick<ListingToPush, "sku" | "externalId" | "version"> {
  /** `untried`: the marketplace was not asked about it. */
  readonly outcome: "confirmed" | "failed" | "rejected" | "untried";
  /** What they hold, where it is confirmed. */
  readonly quantity?: number;
  readonly code?: string;
  readonly message?: string;
}

/** Waits of an item that failed: 5 s, doubling, to 5 minutes. */
const RETRY_FROM_SECONDS = 5;
const RETRY_TO_SECONDS = 300;

/** May be told now: not parked, and not waiting after a failure. */
const isReady = sql`l.dirty AND l.rejected_at IS NULL AND (l.retry_at IS NULL OR l.retry_at <= now())`;

/**
 * Begin a push of an account, unless there is nothing to tell or its window is not over. The window opens with
 * this. One that a push before it left unfinished goes on at once.
 */
export async function beginPush(tx: Tx, accountId: string): Promise<PushBegun> {
  const { rows } = await sql<{
    paused: boolean;
    dueAt: Date | null;
    unfinished: boolean;
    hasWork: boolean;
  }>`
    SELECT a.paused, a.push_unfinished AS unfinished,
           CASE WHEN a.last_push_at + a.min_push_interval_ms * interval '1 millisecond' > now()
                THEN a.last_push_at + a.min_push_interval_ms * interval '1 millisecond' END AS due_at,
           EXISTS (SELECT 1 FROM listings l WHERE l.account_id = a.id AND ${isReady}) AS has_work
    FROM marketplace_accounts a WHERE a.id = ${accountId} FOR UPDATE OF a`.execute(tx);
  const [account] = rows;
  if (account === undefined) return { kind: "gone" };
  if (account.paused) return { kind: "paused" };
  if (!account.hasWork) return { kind: "nothing" };
  if (account.dueAt !== null && !account.unfinished)
    return { kind: "coalescing", dueAt: account.dueAt };
  const begun = await sql<{ at: Date }>`
    UPDATE marketplace_accounts SET last_push_at = now(), push_unfinished = true
    WHERE id = ${accountId} RETURNING last_push_at AS at`.execute(tx);
  return { kind: "begun", at: begun.rows[0]?.at ?? new Date() };
}

/**
 * Take the listings to be told next, urgent ones first, then those that have waited longest. Each is taken once
 * in a push, so that one that changes all the time is told once a window.
 *
 * @param since when the push began
 */
export async function nextBatch(
  db: Queryable,
  accountId: string,
  since: Date,
  limit: number,
): Promise<ListingToPush[]> {
  const { rows } = await sql<ListingToPush & { readonly dirtySince: Date }>`
    WITH batch AS MATERIALIZED (
      SELECT l.sku FROM listings l
      WHERE l.account_id = ${accountId} AND ${isReady}
        AND (l.tried_at IS NULL OR l.tried_at < ${since})
      ORDER BY l.urgent DESC, l.dirty_since, l.sku
      LIMIT ${limit}
    ), locked AS MATERIALIZED (
      SELECT l.sku FROM listings l
      WHERE l.account_id = ${accountId} AND l.sku IN (SELECT sku FROM batch) AND ${isReady}
      ORDER BY l.sku FOR UPDATE
    ), taken AS (
      UPDATE listings l SET tried_at = clock_timestamp() FROM locked
      WHERE l.account_id = ${accountId} AND l.sku = locked.sku
      RETURNING l.sku, l.external_id, l.desired_quantity AS quantity, l.desired_version AS version,
                l.confirmed_quantity AS confirmed, l.urgent, l.dirty_since
    )
    SELECT * FROM taken ORDER BY urgent DESC, dirty_since, sku`.execute(db);
  return rows.map(({ dirtySince: _, ...listing }) => listing);
}

/**
 * Write down what became of a batch. A listing that changed during the call stays dirty; one that is listed
 * under another id by now is left as it is.
 */
export async function settleBatch(
  tx: Tx,
  accountId: string,
  outcomes: readonly PushOutcome[],
): Promise<void> {
  if (outcomes.length === 0) return;
  const rows = JSON.stringify(
    outcomes.map((one) => ({
      sku: one.sku,
      external_id: one.externalId,
      version: one.version.toString(),
      outcome: one.outcome,
      quantity: one.quantity ?? null,
      code: one.code ?? null,
      message: one.message ?? null,
    })),
  );
  const is = (outcome: PushOutcome["outcome"]) => sql`o.outcome = ${sql.lit(outcome)}`;
  await sql`
    WITH o AS MATERIALIZED (
      SELECT o.* FROM jsonb_to_recordset(${rows}::jsonb) AS o(sku text, external_id text,
        version bigint, outcome text, quantity int, code text, message text)
      JOIN listings l ON l.account_id = ${accountId} AND l.sku = o.sku AND l.external_id = o.external_id
      ORDER BY o.sku FOR UPDATE OF l
    )
    UPDATE listings l SET
      confirmed_quantity = CASE WHEN ${is("confirmed")} THEN o.quantity ELSE l.confirmed_quantity END,
      confirmed_version = CASE WHEN ${is("confirmed")}
        THEN greatest(l.confirmed_version, o.version) ELSE l.confirmed_version END,
      confirmed_at = CASE WHEN ${is("confirmed")} THEN now() ELSE l.confirmed_at END,
      -- What changed meanwhile waits since now, and is urgent only if it was asked to be.
      dirty_since = CASE WHEN NOT ${is("confirmed")} THEN l.dirty_since
        WHEN l.desired_version > o.version THEN now() END,
      urgent = l.urgent AND NOT (${is("confirmed")} AND l.desired_version = o.version),
      tried_at = CASE WHEN ${is("untried")} THEN NULL ELSE l.tried_at END,
      settled_at = now(),
      failures = CASE WHEN ${is("failed")} THEN l.failures + 1
        WHEN ${is("untried")} THEN l.failures ELSE 0 END,
      failed_code = CASE WHEN ${is("failed")} THEN o.code
        WHEN ${is("untried")} THEN l.failed_code END,
      failed_message = CASE WHEN ${is("failed")} THEN o.message
        WHEN ${is("untried")} THEN l.failed_message END,
      retry_at = CASE WHEN ${is("failed")} THEN now() + least(${RETRY_TO_SECONDS},
        ${RETRY_FROM_SECONDS} * power(2, least(l.failures, 10))) * interval '1 second' END,
      rejected_at = CASE WHEN ${is("rejected")} THEN now() ELSE l.rejected_at END,
      rejected_code = CASE WHEN ${is("rejected")} THEN o.code ELSE l.rejected_code END,
      rejected_message = CASE WHEN ${is("rejected")} THEN o.message ELSE l.rejected_message END
    FROM o WHERE l.account_id = ${accountId} AND l.sku = o.sku`.execute(tx);
}

/** When the next push of an account is worth its start; `null` if everything was told or is parked. */
export interface NextPush {
  /** The end of the window, or of the wait after failures, whichever is later. */
  readonly dueAt: Date;
  readonly urgent: boolean;
  /** Nothing is left but items that failed. */
  readonly onlyFailed: boolean;
}

/**
 * End a push: say whether it left work that goes on at once, and when the next one is due.
 *
 * @param goesOn stopped by its time budget rather than by the end of its work
 */
export async function endPush(
  tx: Tx,
  accountId: string,
  { goesOn, maxBatch = null }: { readonly goesOn: boolean; readonly maxBatch?: number | null },
): Promise<NextPush | null> {
  const { rows } = await sql<NextPush & { readonly isLeft: boolean }>`
    WITH a AS (
      UPDATE marketplace_accounts SET push_unfinished = ${goesOn}, max_batch = coalesce(${maxBatch}::int, max_batch)
      WHERE id = ${accountId}
      RETURNING id, last_push_at + min_push_interval_ms * interval '1 millisecond' AS window_end
    ), l AS (
      SELECT min(coalesce(l.retry_at, now())) AS ready_at, bool_or(l.urgent) AS urgent,
             bool_and(l.failures > 0) AS only_failed
      FROM listings l WHERE l.account_id = ${accountId} AND l.dirty AND l.rejected_at IS NULL
    )
    SELECT greatest(l.ready_at, CASE WHEN ${goesOn} THEN now() ELSE a.window_end END) AS due_at,
           l.urgent, l.only_failed, l.ready_at IS NOT NULL AS is_left
    FROM a, l`.execute(tx);
  const [next] = rows;
  return next?.isLeft === true
    ? { dueAt: next.dueAt, urgent: next.urgent, onlyFailed: next.onlyFailed }
    : null;
}
