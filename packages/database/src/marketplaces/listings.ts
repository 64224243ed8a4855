import { type RawBuilder, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { MarketplaceAccount } from "./accounts.ts";
import { UnknownSkuError } from "./stock.ts";

/** Our article at one marketplace account. */
export interface Listing {
  readonly sku: string;
  /** Its id there. */
  readonly externalId: string;
  /** What they shall hold; `null` as long as we know no stock of it. */
  readonly desiredQuantity: number | null;
  readonly desiredVersion: bigint;
  /** What they last confirmed. */
  readonly confirmedQuantity: number | null;
  readonly confirmedVersion: bigint;
  readonly confirmedAt: Date | null;
  /** They do not have what they shall hold. */
  readonly dirty: boolean;
  readonly urgent: boolean;
  /** Why it could not be told at the last try. */
  readonly failedCode: string | null;
  readonly failedMessage: string | null;
  readonly retryAt: Date | null;
  /** It can never be told as it is, and is not tried. */
  readonly rejectedAt: Date | null;
  readonly rejectedCode: string | null;
  readonly rejectedMessage: string | null;
  /** Corrections of drift since it was last found in agreement. */
  readonly corrections: number;
}

export interface ListingFacts {
  readonly sku: string;
  readonly externalId: string;
}

/** The external id stands for another SKU of the account. */
export class ListingTakenError extends Error {
  override readonly name = "ListingTakenError";
  readonly taken: ReadonlyArray<ListingFacts>;

  constructor(taken: ReadonlyArray<ListingFacts>) {
    super(`${taken.length} external ids stand for other SKUs of the account`);
    this.taken = taken;
  }
}

/**
 * List articles at a locked account, or change under which id they are listed there. A listing that was
 * parked is tried again; one that is new, or has a new id, is told its stock as soon as that is known.
 *
 * @param facts no two with one SKU or one external id
 * @throws {UnknownSkuError}, {ListingTakenError} naming all of them; nothing was changed
 * @returns how many have something to be told
 */
export async function putListings(
  tx: Tx,
  { id: accountId, companyId }: Pick<MarketplaceAccount, "id" | "companyId">,
  facts: readonly ListingFacts[],
): Promise<number> {
  if (facts.length === 0) return 0;
  const rows = JSON.stringify(
    facts.map(({ sku, externalId }) => ({ sku, external_id: externalId })),
  );
  const fact = sql`jsonb_to_recordset(${rows}::jsonb) AS f(sku text, external_id text)`;

  const unknown = await sql<{ sku: string }>`
    SELECT f.sku FROM ${fact}
    WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.company_id = ${companyId} AND p.sku = f.sku)`.execute(
    tx,
  );
  if (unknown.rows.length > 0) throw new UnknownSkuError(unknown.rows.map(({ sku }) => sku));
  const taken = await sql<ListingFacts>`
    SELECT l.sku, l.external_id FROM ${fact}
    JOIN listings l ON l.account_id = ${accountId} AND l.external_id = f.external_id AND l.sku <> f.sku`.execute(
    tx,
  );
  if (taken.rows.length > 0) throw new ListingTakenError(taken.rows);

  // A listing that comes between a change of its stock and our look at it would miss the change.
  await sql`
    SELECT s.sku FROM stock s JOIN ${fact} ON f.sku = s.sku
    WHERE s.company_id = ${companyId} ORDER BY s.sku FOR UPDATE OF s`.execute(tx);
  const { rows: put } = await sql<{ dirty: boolean }>`
    INSERT INTO listings AS l (account_id, company_id, sku, external_id, desired_quantity,
                               desired_version, dirty_since)
    SELECT ${accountId}::uuid, ${companyId}::uuid, f.sku, f.external_id, s.quantity,
           (s.quantity IS NOT NULL)::int, CASE WHEN s.quantity IS NOT NULL THEN now() END
    FROM ${fact} LEFT JOIN stock s ON s.company_id = ${companyId} AND s.sku = f.sku
    ORDER BY f.sku
    ON CONFLICT (account_id, sku) DO UPDATE SET
      external_id = excluded.external_id,
      -- Another id is another article there: nothing of it was confirmed.
      ${forNewId("confirmed_quantity", sql`NULL`)},
      ${forNewId("confirmed_at", sql`NULL`)},
      ${forNewId("desired_version", sql`l.desired_version + (l.desired_quantity IS NOT NULL)::int`)},
      ${forNewId("dirty_since", sql`coalesce(CASE WHEN l.dirty THEN l.dirty_since END, now())`)},
      rejected_at = NULL, rejected_code = NULL, rejected_message = NULL,
      failures = 0, failed_code = NULL, failed_message = NULL, retry_at = NULL, corrections = 0
    RETURNING dirty`.execute(tx);
  return put.filter(({ dirty }) => dirty).length;
}

const forNewId = (column: string, value: RawBuilder<unknown>) => sql`
  ${sql.ref(column)} = CASE WHEN l.external_id <> excluded.external_id
    THEN ${value} ELSE l.${sql.ref(column)} END`;

/** Take an article off an account's listings; its marketplace is not told. @returns whether it was there */
export async function removeListing(tx: Tx, accountId: string, sku: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom("listings")
    .where("accountId", "=", accountId)
    .where("sku", "=", sku)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export interface ListingFilter {
  readonly sku?: string;
  readonly state?: "dirty" | "parked" | "failing";
  /** Default 100. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Listings of an account by SKU. `nextCursor` is `null` on the last page. */
export async function listListings(
  db: Queryable,
  accountId: string,
  { sku, state, limit = 100, cursor }: ListingFilter = {},
): Promise<{ listings: Listing[]; nextCursor: string | null }> {
  let query = db
    .selectFrom("listings")
    .select([
      "sku",
      "externalId",
      "desiredQuantity",
      "desiredVersion",
      "confirmedQuantity",
      "confirmedVersion",
      "confirmedAt",
      "dirty",
      "urgent",
      "failedCode",
      "failedMessage",
      "retryAt",
      "rejectedAt",
      "rejectedCode",
      "rejectedMessage",
      "corrections",
    ])
    .where("accountId", "=", accountId);
  if (sku !== undefined) query = query.where("sku", "=", sku);
  if (cursor !== undefined) query = query.where("sku", ">", cursor);
  if (state === "parked") query = query.where("rejectedAt", "is not", null);
  if (state === "dirty") query = query.where("dirty", "=", true).where("rejectedAt", "is", null);
  if (state === "failing") query = query.where("failures", ">", 0);
  const found = await query
    .orderBy("sku")
    .limit(limit + 1)
    .execute();
  const listings = found.slice(0, limit);
  return { listings, nextCursor: found.length > limit ? (listings.at(-1)?.sku ?? null) : null };
}
