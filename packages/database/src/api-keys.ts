import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { type SqlBool, sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { ApiScope } from "./schema.ts";
import { uuidv7 } from "./uuidv7.ts";

/** Who calls the API, as their key says. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The company whose rows it reaches; `null`: every company's. */
  readonly companyId: string | null;
  readonly scopes: readonly ApiScope[];
}

export interface NewApiKey {
  readonly name: string;
  readonly companyId: string | null;
  readonly scopes: readonly ApiScope[];
}

const SECRET_BYTES = 32;
const PREFIX_LENGTH = 8;
const PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"; // none that look alike
const FORM = /^bk_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/;

/**
 * Make a key. Only its hash is kept: `key` can be shown this once.
 *
 * @returns `key` in the form `bk_<prefix>_<secret>`
 */
export async function createApiKey(
  db: Queryable,
  { name, companyId, scopes }: NewApiKey,
): Promise<{ id: string; key: string }> {
  const id = uuidv7();
  const prefix = Array.from({ length: PREFIX_LENGTH }, () =>
    PREFIX_LETTERS.charAt(randomInt(PREFIX_LETTERS.length)),
  ).join("");
  const key = `bk_${prefix}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  await db
    .insertInto("apiKeys")
    .values({ id, name, prefix, hash: hashOf(key), companyId, scopes: [...scopes] })
    .execute();
  return { id, key };
}

/** Whose key this is; `undefined` if nobody's or a revoked one. Notes its use, once a minute at most. */
export async function findApiKey(db: Queryable, presentedKey: string): Promise<ApiKey | undefined> {
  return (await findApiKeys(db, [presentedKey]))[0];
}

/** The same of many at the cost of one look. @returns whose each is, in their order */
export async function findApiKeys(
  db: Queryable,
  presentedKeys: readonly string[],
): Promise<(ApiKey | undefined)[]> {
  const prefixes = presentedKeys.map((key) => FORM.exec(key)?.[1]);
  const asked = [...new Set(prefixes.filter((prefix) => prefix !== undefined))];
  if (asked.length === 0) return presentedKeys.map(() => undefined);
  const rows = await db
    .selectFrom("apiKeys")
    .select(["id", "name", "companyId", "scopes", "prefix", "hash"])
    .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as("useIsOld"))
    .where(sql<SqlBool>`prefix = ANY(${asked}::text[])`)
    .where("revokedAt", "is", null)
    .execute();
  const byPrefix = new Map(rows.map((row) => [row.prefix, row]));
  const used = new Set<string>();
  const found = presentedKeys.map((key, n) => {
    const row = byPrefix.get(prefixes[n] ?? "");
    if (row === undefined || !timingSafeEqual(row.hash, hashOf(key))) return undefined;
    const { id, name, companyId, scopes } = row;
    if (row.useIsOld) used.add(id);
    return { id, name, companyId, scopes };
  });
  if (used.size > 0) await noteUse(db, [...used]);
  return found;
}

/** Whoever else notes the use of one of them at this moment notes it for us too: to wait could be a deadlock. */
const noteUse = (db: Queryable, ids: readonly string[]) =>
  sql`
    UPDATE api_keys SET last_used_at = now() WHERE id IN (
      SELECT id FROM api_keys WHERE id = ANY(${ids}::uuid[]) FOR UPDATE SKIP LOCKED)`.execute(db);

/** End a key at once. Repeatable. @returns whether there is such a key */
export async function revokeApiKey(db: Queryable, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("apiKeys")
    .set({ revokedAt: sql<Date>`coalesce(revoked_at, now())` })
    .where("id", "=", id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** A plain hash is enough: 32 random bytes cannot be guessed, unlike a password. */
const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();
