import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** What an account has still to be told. */
export interface Backlog {
  /** Listings to be told, those that wait after a failure included. */
  readonly dirty: number;
  readonly urgent: number;
  /** Of them: failed at their last try. */
  readonly failing: number;
  /** Can never be told as they are; not among the dirty ones. */
  readonly parked: number;
  /** Since when the oldest of them waits. */
  readonly oldestSince: Date | null;
  /** Listings confirmed within the last minute. */
  readonly confirmedLastMinute: number;
}

export async function measureBacklog(db: Queryable, accountId: string): Promise<Backlog> {
  const { rows } = await sql<Backlog>`
    SELECT p.dirty, p.urgent, p.failing, p.oldest_since,
           (SELECT count(*)::int FROM listings WHERE account_id = ${accountId} AND rejected_at IS NOT NULL)
             AS parked,
           (SELECT count(*)::int FROM listings
            WHERE account_id = ${accountId} AND confirmed_at > now() - interval '1 minute')
             AS confirmed_last_minute
    FROM (
      SELECT count(*)::int AS dirty, count(*) FILTER (WHERE urgent)::int AS urgent,
             count(*) FILTER (WHERE failures > 0)::int AS failing, min(dirty_since) AS oldest_since
      FROM listings WHERE account_id = ${accountId} AND dirty AND rejected_at IS NULL
    ) p`.execute(db);
  const [backlog] = rows;
  if (backlog === undefined) throw new Error("an aggregate came back without a row");
  return backlog;
}
