import type { Selectable } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { DriftWinner, Schema } from "../schema.ts";
import type { CompanyScope } from "../scope.ts";
import type { Sealed } from "./key-ring.ts";

/** An account at a marketplace; its credentials are read by {@link readAccess} alone. */
export interface MarketplaceAccount {
  readonly id: string;
  readonly companyId: string;
  /** One of `MarketplaceKind` of the contracts. */
  readonly kind: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentialsKeyId: string;
  readonly credentialsSetAt: Date;
  readonly paused: boolean;
  readonly minPushIntervalMs: number;
  /** When it is compared with what we hold; `null` for only when asked. */
  readonly reconcile: { readonly cron: string; readonly timeZone: string } | null;
  readonly driftWinner: DriftWinner;
  /** In a row, without being found in agreement. */
  readonly maxCorrections: number;
  readonly lastPushAt: Date | null;
  readonly maxBatch: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type AccountFacts = Pick<
  MarketplaceAccount,
  | "id"
  | "companyId"
  | "kind"
  | "name"
  | "settings"
  | "minPushIntervalMs"
  | "reconcile"
  | "driftWinner"
  | "maxCorrections"
>;

const columns = [
  "id",
  "companyId",
  "kind",
  "name",
  "settings",
  "credentialsKeyId",
  "credentialsSetAt",
  "paused",
  "minPushIntervalMs",
  "reconcileCron",
  "reconcileTimeZone",
  "driftWinner",
  "maxCorrections",
  "lastPushAt",
  "maxBatch",
  "createdAt",
  "updatedAt",
] as const;

/** Create an account with its credentials. */
export async function insertAccount(
  tx: Tx,
  facts: AccountFacts,
  { sealed, keyId }: Sealed,
): Promise<MarketplaceAccount> {
  const row = await tx
    .insertInto("marketplaceAccounts")
    .values({
      id: facts.id,
      companyId: facts.companyId,
      kind: facts.kind,
      ...changeable(facts),
      credentials: sealed,
      credentialsKeyId: keyId,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  return accountOf(row);
}

/** Replace what may change about an account; its credentials stay unless new ones are given. */
export async function updateAccount(
  tx: Tx,
  facts: AccountFacts,
  credentials: Sealed | undefined,
): Promise<MarketplaceAccount> {
  const now = new Date();
  const row = await tx
    .updateTable("marketplaceAccounts")
    .set({
      ...changeable(facts),
      ...(credentials === undefined
        ? {}
        : {
            credentials: credentials.sealed,
            credentialsKeyId: credentials.keyId,
            credentialsSetAt: now,
          }),
      updatedAt: now,
    })
    .where("id", "=", facts.id)
    .returning(columns)
    .executeTakeFirstOrThrow();
  return accountOf(row);
}

export async function findAccount(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<MarketplaceAccount | undefined> {
  const row = await inScope(db, scope).where("id", "=", id).executeTakeFirst();
  return row && accountOf(row);
}

/** The same, held until `tx` ends: of two who change it at once one waits. */
export async function lockAccount(
  tx: Tx,
  scope: CompanyScope,
  id: string,
): Promise<MarketplaceAccount | undefined> {
  const row = await inScope(tx, scope).where("id", "=", id).forUpdate().executeTakeFirst();
  return row && accountOf(row);
}

/** By name. */
export async function listAccounts(
  db: Queryable,
  scope: CompanyScope,
): Promise<MarketplaceAccount[]> {
  const rows = await inScope(db, scope).orderBy("name").orderBy("id").execute();
  return rows.map(accountOf);
}

/** Let no push or reconciliation of it begin, or let them again; what runs goes on to the end of its batch. */
export async function setAccountPaused(
  tx: Tx,
  id: string,
  paused: boolean,
): Promise<MarketplaceAccount> {
  const row = await tx
    .updateTable("marketplaceAccounts")
    .set({ paused, updatedAt: new Date() })
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirstOrThrow();
  return accountOf(row);
}

const inScope = (db: Queryable, scope: CompanyScope) =>
  db
    .selectFrom("marketplaceAccounts")
    .select(columns)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope));

const changeable = (facts: AccountFacts) => ({
  name: facts.name,
  settings: JSON.stringify(facts.settings),
  minPushIntervalMs: facts.minPushIntervalMs,
  reconcileCron: facts.reconcile?.cron ?? null,
  reconcileTimeZone: facts.reconcile?.timeZone ?? null,
  driftWinner: facts.driftWinner,
  maxCorrections: facts.maxCorrections,
});

type Row = Pick<Selectable<Schema["marketplaceAccounts"]>, (typeof columns)[number]>;

function accountOf({ reconcileCron, reconcileTimeZone, ...row }: Row): MarketplaceAccount {
  return {
    ...row,
    reconcile:
      reconcileCron === null || reconcileTimeZone === null
        ? null
        : { cron: reconcileCron, timeZone: reconcileTimeZone },
  };
}
