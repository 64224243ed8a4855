import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import { storableJson } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import type { MarketplaceAccount } from "./accounts.ts";
import type { DriftItem, ThreeWayDiff } from "./drift.ts";

/** What a reconciliation found, and what it did about it. */
export interface DriftReport {
  readonly id: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Articles they list. */
  readonly listed: number;
  /** Listings of ours. */
  readonly compared: number;
  readonly inAgreement: number;
  /** On their way, or told while they were read. */
  readonly pending: number;
  /** Changed by them. */
  readonly drifted: number;
  readonly corrected: number;
  /** Drifted again after the last correction that is allowed. */
  readonly givenUp: number;
  /** Ours, and not listed there. */
  readonly missing: number;
  /** Theirs, and not a listing of ours. */
  readonly unknown: number;
  /** The most important ones, 1,000 at most. */
  readonly items: readonly DriftItem[];
}

const NAMED_ITEMS = 1_000;
/** Three months of nights. */
const KEPT_REPORTS = 100;
const BY_IMPORTANCE: readonly DriftItem["action"][] = ["give_up", "adopt", "push", "none"];

/** Keep what was found; the oldest reports of the account go. */
export async function recordDrift(
  tx: Tx,
  account: Pick<MarketplaceAccount, "id" | "companyId">,
  found: { readonly startedAt: Date; readonly listed: number; readonly compared: number },
  { items, inAgreement, pending, unknown }: ThreeWayDiff,
): Promise<Omit<DriftReport, "finishedAt">> {
  const count = (test: (item: DriftItem) => boolean) => items.filter(test).length;
  const named = items.toSorted(
    (a, b) => BY_IMPORTANCE.indexOf(a.action) - BY_IMPORTANCE.indexOf(b.action),
  );
  const report = {
    ...found,
    id: uuidv7(),
    inAgreement: inAgreement.length,
    pending: pending.length,
    drifted: count(({ kind }) => kind !== "missing"),
    corrected: count(({ action }) => action === "push" || action === "adopt"),
    givenUp: count(({ action }) => action === "give_up"),
    missing: count(({ kind }) => kind === "missing"),
    unknown,
    items: named.slice(0, NAMED_ITEMS),
  };
  await tx
    .insertInto("driftReports")
    .values({
      ...report,
      accountId: account.id,
      companyId: account.companyId,
      items: storableJson(report.items),
    })
    .execute();
  await sql`
    DELETE FROM drift_reports WHERE id IN (
      SELECT id FROM drift_reports WHERE account_id = ${account.id}
      ORDER BY started_at DESC, id DESC OFFSET ${KEPT_REPORTS})`.execute(tx);
  return report;
}

/** Reports of an account, newest first. `nextCursor` is `null` on the last page. */
export async function listDriftReports(
  db: Queryable,
  accountId: string,
  { limit = 10, cursor }: { readonly limit?: number; readonly cursor?: string } = {},
): Promise<{ reports: DriftReport[]; nextCursor: string | null }> {
  let query = db
    .selectFrom("driftReports")
    .select([
      "id",
      "startedAt",
      "finishedAt",
      "listed",
      "compared",
      "inAgreement",
      "pending",
      "drifted",
      "corrected",
      "givenUp",
      "missing",
      "unknown",
      "items",
    ])
    .where("accountId", "=", accountId);
  if (cursor !== undefined)
    query = query.where(
      sql<boolean>`(started_at, id) < (SELECT started_at, id FROM drift_reports WHERE id = ${cursor})`,
    );
  const found = await query
    .orderBy("startedAt", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const reports = found.slice(0, limit);
  return { reports, nextCursor: found.length > limit ? (reports.at(-1)?.id ?? null) : null };
}
