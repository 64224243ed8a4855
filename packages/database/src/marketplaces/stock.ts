import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";

/** What is there of one article now. */
export interface StockChange {
  readonly sku: string;
  /** A whole number from 0. */
  readonly quantity: number;
  /** To be told before everything else that waits. */
  readonly urgent?: boolean;
}

export interface Stock {
  readonly companyId: string;
  readonly sku: string;
  readonly quantity: number;
  /** Counts the changes. */
  readonly version: bigint;
  readonly updatedAt: Date;
}

/** An account that has something new to tell. */
export interface AccountToPush {
  readonly accountId: string;
  readonly urgent: boolean;
  /** The end of its window, within which more changes may come; `null` if that is over. */
  readonly dueAt: Date | null;
}

export interface StockChanged {
  /** As it is now, by SKU. */
  readonly stock: readonly Stock[];
  /** To be asked a push for; none that is paused. */
  readonly accounts: readonly AccountToPush[];
}

/** No product of the company has these SKUs. */
export class UnknownSkuError extends Error {
  override readonly name = "UnknownSkuError";
  readonly skus: readonly string[];

  constructor(skus: readonly string[]) {
    super(`there is no product ${skus.slice(0, 3).join(", ")}${skus.length > 3 ? ", …" : ""}`);
    this.skus = skus;
  }
}

/**
 * Set the stock of many articles of one company, and mark what its marketplaces do not have yet.
 *
 * Of two changes of one SKU the later wins. What is as it was is no change, but for its urgency. Stock rows
 * are locked before listings, both in the order of their keys, so that two of these never deadlock and a
 * listing's desired quantity is the stock that was committed last.
 *
 * @throws {UnknownSkuError} naming all of them; nothing was changed
 */
export async function setStock(
  tx: Tx,
  companyId: string,
  changes: readonly StockChange[],
): Promise<StockChanged> {
  const bySku = new Map(changes.map((change) => [change.sku, change]));
  if (bySku.size === 0) return { stock: [], accounts: [] };
  // As one JSON parameter: thousands of rows would exceed the 65,535 parameters of a statement.
  const rows = JSON.stringify(
    [...bySku.values()].map(({ sku, quantity, urgent = false }) => ({ sku, quantity, urgent })),
  );
  const change = sql`jsonb_to_recordset(${rows}::jsonb) AS c(sku text, quantity int, urgent boolean)`;

  const unknown = await sql<{ sku: string }>`
    SELECT c.sku FROM ${change}
    WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.company_id = ${companyId} AND p.sku = c.sku)`.execute(
    tx,
  );
  if (unknown.rows.length > 0) throw new UnknownSkuError(unknown.rows.map(({ sku }) => sku));

  const { rows: stock } = await sql<Stock>`
    INSERT INTO stock AS s (company_id, sku, quantity)
    SELECT ${companyId}::uuid, c.sku, c.quantity FROM ${change} ORDER BY c.sku
    ON CONFLICT (company_id, sku) DO UPDATE SET
      quantity = excluded.quantity,
      version = s.version + (s.quantity <> excluded.quantity)::int,
      updated_at = CASE WHEN s.quantity <> excluded.quantity THEN now() ELSE s.updated_at END
    RETURNING company_id, sku, quantity, version, updated_at`.execute(tx);

  const { rows: accounts } = await sql<AccountToPush>`
    WITH changed AS MATERIALIZED (
      SELECT l.account_id, l.sku, c.quantity, c.urgent,
             l.desired_quantity IS DISTINCT FROM c.quantity AS differs
      FROM listings l JOIN ${change} ON c.sku = l.sku
      WHERE l.company_id = ${companyId}
        AND (l.desired_quantity IS DISTINCT FROM c.quantity OR (c.urgent AND l.dirty AND NOT l.urgent))
      ORDER BY l.account_id, l.sku FOR UPDATE OF l
    ), marked AS (
      UPDATE listings l SET
        desired_quantity = c.quantity,
        desired_version = l.desired_version + c.differs::int,
        dirty_since = CASE WHEN l.dirty THEN l.dirty_since ELSE now() END,
        urgent = l.urgent OR c.urgent
      FROM changed c WHERE l.account_id = c.account_id AND l.sku = c.sku
      RETURNING l.account_id, l.urgent, l.rejected_at
    )
    SELECT a.id AS account_id, bool_or(m.urgent) AS urgent, ${windowEnd} AS due_at
    FROM marked m JOIN marketplace_accounts a ON a.id = m.account_id
    WHERE m.rejected_at IS NULL AND NOT a.paused
    GROUP BY a.id ORDER BY a.id`.execute(tx);
  return { stock, accounts };
}

/** When the window of account `a` ends, if it has not yet. */
const windowEnd = sql`
  CASE WHEN a.last_push_at + a.min_push_interval_ms * interval '1 millisecond' > now()
       THEN a.last_push_at + a.min_push_interval_ms * interval '1 millisecond' END`;

export const findStock = (
  db: Queryable,
  companyId: string,
  sku: string,
): Promise<Stock | undefined> =>
  db
    .selectFrom("stock")
    .select(["companyId", "sku", "quantity", "version", "updatedAt"])
    .where("companyId", "=", companyId)
    .where("sku", "=", sku)
    .executeTakeFirst();
