import { sql } from "kysely";
import type { Database, Queryable } from "../database.ts";
import { type KeyRing, type Sealed, seal, unseal } from "./key-ring.ts";

export type Credentials = Readonly<Record<string, unknown>>;

/** Seal the credentials of an account; they open for this account alone. */
export const sealCredentials = (ring: KeyRing, accountId: string, plain: Credentials): Sealed =>
  seal(ring, accountId, JSON.stringify(plain));

/** How an account is spoken to. */
export interface Access {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Credentials;
}

/**
 * The credentials of an account, for whoever speaks to its marketplace. They go nowhere else, so they come with the settings
 * that they were given for: an account that moved since its row was read has those of its new address.
 *
 * @throws {UnsealError} if no key of the ring opens them
 */
export async function readAccess(
  db: Queryable,
  ring: KeyRing,
  accountId: string,
): Promise<Access | undefined> {
  const row = await db
    .selectFrom("marketplaceAccounts")
    .select(["settings", "credentials as sealed", "credentialsKeyId as keyId"])
    .where("id", "=", accountId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const credentials = JSON.parse(unseal(ring, accountId, row)) as Credentials;
  return { settings: row.settings, credentials };
}

const BATCH = 100;

/**
 * Seal anew, with the current key, whatever is sealed with another one of the ring; afterwards the others may
 * be taken out of it. Any number of processes may. @returns how many
 */
export async function resealCredentials(
  database: Pick<Database, "transaction">,
  ring: KeyRing,
): Promise<number> {
  const old = [...ring.keys.keys()].filter((id) => id !== ring.current);
  if (old.length === 0) return 0;
  for (let resealed = 0; ; ) {
    const count = await database.transaction(async (tx) => {
      const rows = await tx
        .selectFrom("marketplaceAccounts")
        .select(["id", "credentials as sealed", "credentialsKeyId as keyId"])
        .where("credentialsKeyId", "in", old)
        .orderBy("id")
        .limit(BATCH)
        .forUpdate()
        .skipLocked()
        .execute();
      for (const { id, ...sealed } of rows) {
        const anew = seal(ring, id, unseal(ring, id, sealed));
        await sql`
          UPDATE marketplace_accounts
          SET credentials = ${anew.sealed}, credentials_key_id = ${anew.keyId}
          WHERE id = ${id}`.execute(tx);
      }
      return rows.length;
    });
    resealed += count;
    if (count < BATCH) return resealed;
  }
}
