import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { MarketplaceAccount } from "./accounts.ts";
import type { ComparedListing, DriftItem, ThreeWayDiff } from "./drift.ts";
import { type AccountToPush, setStock } from "./stock.ts";

/** PostgreSQL's `int`. */
const MOST = 2_147_483_647;

/** Shops sell by weight, and oversell; of what they say a whole number is kept. */
const whole = (quantity: number) => Math.trunc(Math.min(MOST, Math.max(-MOST, quantity)));

/** The database's clock, which also stamps what is told. */
export async function databaseNow(db: Queryable): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
  return rows[0]?.now ?? new Date();
}

/**
 * The listings of an account that can be compared: not parked, and with a stock that we know.
 *
 * @param since when reading the other side began
 */
export async function comparedListings(
  db: Queryable,
  accountId: string,
  since: Date,
): Promise<ComparedListing[]> {
  const { rows } = await sql<ComparedListing>`
    SELECT sku, external_id, desired_quantity AS ours, desired_version AS version,
           confirmed_quantity AS confirmed, dirty AS is_dirty, corrections,
           coalesce(tried_at >= ${since} OR settled_at >= ${since}
             OR tried_at > coalesce(settled_at, '-infinity'), false) AS is_moving
    FROM listings
    WHERE account_id = ${accountId} AND rejected_at IS NULL AND desired_quantity IS NOT NULL
    ORDER BY sku`.execute(db);
  return rows;
}

/**
 * Do what a comparison decided, and note what was found in agreement. A listing that changed since it was
 * compared is left to the next comparison.
 *
 * @returns the accounts that have something to tell now
 */
export async function correctDrift(
  tx: Tx,
  account: Pick<MarketplaceAccount, "id" | "companyId">,
  diff: ThreeWayDiff,
  compared: readonly ComparedListing[],
): Promise<AccountToPush[]> {
  const versions = new Map(compared.map(({ sku, version }) => [sku, version]));
  const rowsOf = (items: readonly { sku: string; theirs: number | null }[]) =>
    JSON.stringify(
      items.map(({ sku, theirs }) => ({
        sku,
        theirs: whole(theirs ?? 0),
        version: versions.get(sku)?.toString(),
      })),
    );
  const agreed = diff.inAgreement.map(({ sku, ours }) => ({ sku, theirs: ours }));
  await noteAgreement(tx, account.id, rowsOf(agreed));
  const overruled = ({ kind, action }: DriftItem) => kind === "both_changed" && action === "none";
  await noteTheirs(tx, account.id, rowsOf(diff.items.filter(overruled)));
  const accounts = await adopt(tx, account, diff.items.filter(by("adopt")), rowsOf);
  const pushed = await tellAgain(tx, account.id, rowsOf(diff.items.filter(by("push"))));
  if (pushed > 0) accounts.push({ accountId: account.id, urgent: false, dueAt: null });
  return accounts;
}

const by = (action: DriftItem["action"]) => (item: DriftItem) => item.action === action;

/** As they were compared, locked in the order that all take. */
const unchanged = (accountId: string, rows: string) => sql`
  o AS MATERIALIZED (
    SELECT o.sku, o.theirs FROM jsonb_to_recordset(${rows}::jsonb) AS o(sku text, theirs int, version bigint)
    JOIN listings l ON l.account_id = ${accountId} AND l.sku = o.sku AND l.desired_version = o.version
    ORDER BY o.sku FOR UPDATE OF l
  )`;

/** They hold it, so nothing of it is to be told, and the count of corrections begins anew. */
const noteAgreement = (tx: Tx, accountId: string, rows: string) =>
  sql`
  WITH ${unchanged(accountId, rows)}
  UPDATE listings l SET confirmed_quantity = o.theirs, confirmed_version = l.desired_version,
    confirmed_at = CASE WHEN l.dirty THEN now() ELSE l.confirmed_at END,
    corrections = 0, urgent = false, dirty_since = NULL
  FROM o WHERE l.account_id = ${accountId} AND l.sku = o.sku
    AND (l.dirty OR l.corrections > 0 OR l.confirmed_quantity IS DISTINCT FROM o.theirs)`.execute(
    tx,
  );

/**
 * Ours is on its way, and replaces what they hold now: an API that compares before it sets would refuse it for
 * ever by what they held before. One that was told since holds something else by now.
 */
const noteTheirs = (tx: Tx, accountId: string, rows: string) =>
  sql`
  WITH ${unchanged(accountId, rows)}
  UPDATE listings l SET confirmed_quantity = o.theirs
  FROM o WHERE l.account_id = ${accountId} AND l.sku = o.sku AND l.dirty`.execute(tx);

/** What they hold is noted too: an API that compares before it sets would refuse anything else. */
async function tellAgain(tx: Tx, accountId: string, rows: string): Promise<number> {
  const { numAffectedRows } = await sql`
    WITH ${unchanged(accountId, rows)}
    UPDATE listings l SET confirmed_quantity = o.theirs, desired_version = l.desired_version + 1,
      dirty_since = now(), corrections = l.corrections + 1
    FROM o WHERE l.account_id = ${accountId} AND l.sku = o.sku`.execute(tx);
  return Number(numAffectedRows ?? 0);
}

/** Theirs becomes our stock, and all other accounts are told. */
async function adopt(
  tx: Tx,
  { id, companyId }: Pick<MarketplaceAccount, "id" | "companyId">,
  items: readonly DriftItem[],
  rowsOf: (items: readonly { sku: string; theirs: number | null }[]) => string,
): Promise<AccountToPush[]> {
  if (items.length === 0) return [];
  // A shop that oversells holds less than nothing; stock does not.
  const held = items.map(({ sku, theirs }) => ({
    sku,
    theirs: Math.max(0, whole(theirs ?? 0)),
  }));
  await sql`SELECT sku FROM stock
    WHERE company_id = ${companyId} AND sku = ANY(${held.map(({ sku }) => sku)}::text[])
    ORDER BY sku FOR UPDATE`.execute(tx);
  const { rows: still } = await sql<{ sku: string; theirs: number }>`
    WITH ${unchanged(id, rowsOf(held))} SELECT sku, theirs FROM o`.execute(tx);
  const changes = still.map(({ sku, theirs }) => ({ sku, quantity: theirs }));
  const { accounts } = await setStock(tx, companyId, changes);
  await sql`
    UPDATE listings l SET confirmed_quantity = l.desired_quantity,
      confirmed_version = l.desired_version, confirmed_at = now(), dirty_since = NULL,
      urgent = false, corrections = l.corrections + 1
    WHERE l.account_id = ${id} AND l.sku = ANY(${still.map(({ sku }) => sku)}::text[])`.execute(tx);
  return accounts.filter(({ accountId }) => accountId !== id);
}
