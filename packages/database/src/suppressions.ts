import type { Queryable } from "./database.ts";

/** Stop mail of one company to an address. Repeatable: the newer reason replaces the older. */
export async function suppress(
  db: Queryable,
  companyId: string,
  address: string,
  reason: string,
): Promise<void> {
  await db
    .insertInto("suppressions")
    .values({ companyId, address: address.toLowerCase(), reason })
    .onConflict((oc) => oc.columns(["companyId", "address"]).doUpdateSet({ reason }))
    .execute();
}

/** @returns whether the address was suppressed */
export async function unsuppress(
  db: Queryable,
  companyId: string,
  address: string,
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("suppressions")
    .where("companyId", "=", companyId)
    .where("address", "=", address.toLowerCase())
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Why mail of this company to `address` is stopped; `undefined` if it is not. */
export async function isSuppressed(
  db: Queryable,
  companyId: string,
  address: string,
): Promise<{ reason: string } | undefined> {
  return await db
    .selectFrom("suppressions")
    .select("reason")
    .where("companyId", "=", companyId)
    .where("address", "=", address.toLowerCase())
    .executeTakeFirst();
}
