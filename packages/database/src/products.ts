import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { CompanyScope } from "./scope.ts";

export interface Product {
  readonly companyId: string;
  /** Unique within the company. */
  readonly sku: string;
  readonly name: string;
  readonly unitPriceMinor: bigint;
  readonly currency: string;
}

/** Create or replace many products in one statement; of two with one sku, the later wins. Repeatable. */
export async function upsertProducts(db: Queryable, products: readonly Product[]): Promise<void> {
  const bySku = new Map(
    products.map((product) => [`${product.companyId}/${product.sku}`, product]),
  );
  if (bySku.size === 0) return;
  // As one JSON parameter: thousands of rows would exceed the 65,535 parameters of a statement.
  const rows = [...bySku.values()].map((product) => ({
    company_id: product.companyId,
    sku: product.sku,
    name: product.name,
    unit_price_minor: product.unitPriceMinor.toString(),
    currency: product.currency,
  }));
  await sql`
    INSERT INTO products (company_id, sku, name, unit_price_minor, currency)
    SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      AS p(company_id uuid, sku text, name text, unit_price_minor bigint, currency text)
    ON CONFLICT (company_id, sku) DO UPDATE
    SET name = excluded.name, unit_price_minor = excluded.unit_price_minor,
        currency = excluded.currency, updated_at = now()`.execute(db);
}

export async function findProduct(
  db: Queryable,
  companyId: string,
  sku: string,
): Promise<Product | undefined> {
  return await db
    .selectFrom("products")
    .select(["companyId", "sku", "name", "unitPriceMinor", "currency"])
    .where("companyId", "=", companyId)
    .where("sku", "=", sku)
    .executeTakeFirst();
}

export interface ProductFilter {
  readonly companyId?: string;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Products by company and SKU. `nextCursor` is `null` on the last page. */
export async function listProducts(
  db: Queryable,
  scope: CompanyScope,
  { companyId, limit = 50, cursor }: ProductFilter = {},
): Promise<{ products: Product[]; nextCursor: string | null }> {
  let query = db
    .selectFrom("products")
    .select(["companyId", "sku", "name", "unitPriceMinor", "currency"]);
  if (scope !== "all") query = query.where("companyId", "=", scope);
  if (companyId !== undefined) query = query.where("companyId", "=", companyId);
  const [afterCompany, afterSku] = [cursor?.slice(0, UUID_LENGTH), cursor?.slice(UUID_LENGTH + 1)];
  if (cursor !== undefined)
    query = query.where(sql<boolean>`(company_id, sku) > (${afterCompany}::uuid, ${afterSku})`);
  const found = await query
    .orderBy("companyId")
    .orderBy("sku")
    .limit(limit + 1)
    .execute();
  const products = found.slice(0, limit);
  const last = products.at(-1);
  const isMore = found.length > limit && last !== undefined;
  return { products, nextCursor: isMore ? `${last.companyId}/${last.sku}` : null };
}

/** A cursor is a company's id, a slash and a SKU. */
const UUID_LENGTH = 36;
