import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** An account that has something to be told, and no push that does it. */
export interface ForgottenAccount {
  readonly accountId: string;
  readonly companyId: string;
}

/**
 * Find accounts whose push died, for good or because it waited for too long: nothing asks for the next one until
 * stock changes. One that died a moment ago would die again, unless its account was changed since.
 *
 * @param job the push, whose slots are `<job>:<company>:<account>`
 */
export async function forgottenAccounts(
  db: Queryable,
  { queue, job, restMs }: { readonly queue: string; readonly job: string; readonly restMs: number },
): Promise<ForgottenAccount[]> {
  const { rows } = await sql<ForgottenAccount>`
    SELECT a.id AS account_id, a.company_id FROM marketplace_accounts a
    WHERE NOT a.paused
      AND EXISTS (SELECT 1 FROM listings l WHERE l.account_id = a.id AND l.dirty AND l.rejected_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM job_runs r WHERE r.queue = ${queue}
        AND r.slot = ${job} || ':' || a.company_id || ':' || a.id AND r.state IN ('waiting', 'started'))
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.queue = ${queue} AND d.job = ${job}
        AND d.subject = 'marketplace-account:' || a.id AND d.died_at > a.updated_at
        AND d.died_at > now() - ${restMs} * interval '1 millisecond')
    ORDER BY a.id`.execute(db);
  return rows;
}
