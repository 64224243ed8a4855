import { type SqlBool, sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { CompanyScope } from "../scope.ts";
import type { Letter } from "../triage/letters.ts";

/** Which open letters of a queue are replayed. */
export interface ReplayFilter {
  readonly queue: string;
  readonly job?: string;
  readonly code?: string;
  readonly incidentId?: string;
  readonly fingerprint?: string;
  readonly generation?: number;
  /** Died at this time or later. */
  readonly since?: Date;
  /** Died before this time. */
  readonly until?: Date;
}

const matching = (db: Queryable, scope: CompanyScope, filter: ReplayFilter) => {
  const { since, until, ...exactly } = filter;
  let query = db.selectFrom("deadLetters").where("state", "=", "open");
  if (scope !== "all") query = query.where("companyId", "=", scope);
  for (const [column, value] of Object.entries(exactly))
    if (value !== undefined) query = query.where(column as keyof typeof exactly, "=", value);
  if (since !== undefined) query = query.where("diedAt", ">=", since);
  if (until !== undefined) query = query.where("diedAt", "<", until);
  return query;
};

/** How many open letters a filter finds. */
export async function countReplayable(
  db: Queryable,
  scope: CompanyScope,
  filter: ReplayFilter,
): Promise<number> {
  const { count } = await matching(db, scope, filter)
    .select(sql<number>`count(*)::int`.as("count"))
    .executeTakeFirstOrThrow();
  return count;
}

/** Those letters, in pages, oldest death first. */
export async function* replayableLetters(
  db: Queryable,
  scope: CompanyScope,
  filter: ReplayFilter,
  pageSize = 500,
): AsyncGenerator<Letter[]> {
  let last: Letter | undefined;
  do {
    const after = last;
    const page = await matching(db, scope, filter)
      .selectAll()
      .$if(after !== undefined, (query) =>
        // A Date holds milliseconds, the column microseconds: the row itself says where it stands.
        query.where(
          sql<SqlBool>`(died_at, run_id) > (SELECT died_at, run_id FROM dead_letters WHERE run_id = ${after?.runId})`,
        ),
      )
      .orderBy("diedAt")
      .orderBy("runId")
      .limit(pageSize)
      .execute();
    if (page.length > 0) yield page;
    last = page.length < pageSize ? undefined : page.at(-1);
  } while (last !== undefined);
}

const UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

/**
 * Letters whose work the ledgers know as done: a document that was rendered, a mail that was sent.
 *
 * @returns their ids
 */
export async function alreadyDone(
  db: Queryable,
  letterIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (letterIds.length === 0) return new Set();
  const { rows } = await sql<{ runId: string }>`
    SELECT l.run_id FROM dead_letters l
    -- By its key, which a payload that no longer fits may not hold: a text compared with every row would
    -- read all documents for each letter.
    JOIN invoices i ON i.id = CASE WHEN l.payload->>'invoiceId' ~* ${UUID}
      THEN (l.payload->>'invoiceId')::uuid END
      AND i.company_id = coalesce(l.company_id, i.company_id)
    WHERE l.run_id = ANY(${[...letterIds]}::uuid[]) AND CASE l.job
      WHEN 'render-invoice' THEN EXISTS (
        SELECT 1 FROM documents d
        WHERE d.invoice_id = i.id AND d.locale = l.payload->>'locale'
          AND d.revision::text = l.payload->>'revision')
      WHEN 'send-invoice' THEN EXISTS (
        SELECT 1 FROM email_deliveries e
        WHERE e.company_id = i.company_id AND e.invoice_id = i.id AND e.purpose = 'invoice'
          AND e.revision::text = l.payload->>'revision'
          AND e.ordinal::text = coalesce(l.payload->>'ordinal', '1') AND e.state = 'sent')
      ELSE false END`.execute(db);
  return new Set(rows.map(({ runId }) => runId));
}
