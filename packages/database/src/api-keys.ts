import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
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
  const prefix = FORM.exec(presentedKey)?.[1];
  if (prefix === undefined) return undefined;
  const row = await db
    .selectFrom("apiKeys")
    .select(["id", "name", "companyId", "scopes", "hash"])
    .select(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`.as("useIsOld"))
    .where("prefix", "=", prefix)
    .where("revokedAt", "is", null)
    .executeTakeFirst();
  if (row === undefined || !timingSafeEqual(row.hash, hashOf(presentedKey))) return undefined;
  if (row.useIsOld)
    await db
      .updateTable("apiKeys")
      .set({ lastUsedAt: sql<Date>`now()` })
      .where("id", "=", row.id)
      .execute();
  const { id, name, companyId, scopes } = row;
  return { id, name, companyId, scopes };
}

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
