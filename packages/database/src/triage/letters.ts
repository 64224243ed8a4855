import { type Selectable, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { LetterState, Schema } from "../schema.ts";
import type { CompanyScope } from "../scope.ts";
import { storableText } from "../storable.ts";

/** A death as it was parked, and what was done about it. Its id is the run's. */
export type Letter = Readonly<Selectable<Schema["deadLetters"]>>;
/** What a list shows: all but what may be large. */
export type LetterSummary = Omit<Letter, "payload" | "stack">;

export interface LetterFilter {
  readonly queue?: string;
  readonly state?: LetterState;
  readonly job?: string;
  readonly code?: string;
  readonly incidentId?: string;
  /** Exactly this business thing, e.g. `invoice:0190…`. */
  readonly subject?: string;
  /** Died at this time or later. */
  readonly since?: Date;
  /** Died before this time. */
  readonly until?: Date;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

const SUMMARY = [
  "runId",
  "queue",
  "engineJobId",
  "job",
  "version",
  "companyId",
  "subject",
  "priority",
  "code",
  "message",
  "worker",
  "traceparent",
  "attemptsMade",
  "generation",
  "replayOf",
  "origin",
  "askedAt",
  "diedAt",
  "parkedAt",
  "sizeBytes",
  "fingerprint",
  "incidentId",
  "state",
  "settledAt",
  "settledBy",
  "settledReason",
  "replayRunId",
  "replayRequestId",
  "engineClearedAt",
] as const satisfies (keyof LetterSummary)[];

/** Letters in scope, newest first. `nextCursor` is `null` on the last page. */
export async function listLetters(
  db: Queryable,
  scope: CompanyScope,
  { since, until, limit = 50, cursor, ...exactly }: LetterFilter = {},
): Promise<{ letters: LetterSummary[]; nextCursor: string | null }> {
  let query = db.selectFrom("deadLetters").select(SUMMARY);
  if (scope !== "all") query = query.where("companyId", "=", scope);
  for (const [column, value] of Object.entries(exactly))
    query = query.where(column as keyof typeof exactly, "=", value);
  if (since !== undefined) query = query.where("diedAt", ">=", since);
  if (until !== undefined) query = query.where("diedAt", "<", until);
  if (cursor !== undefined)
    query = query.where(
      // Another company's letter is as if it were not there: nothing comes after it.
      sql<boolean>`(died_at, run_id) < (SELECT died_at, run_id FROM dead_letters
        WHERE run_id = ${cursor} AND ${scope === "all" ? sql`true` : sql`company_id = ${scope}::uuid`})`,
    );
  const rows = await query
    .orderBy("diedAt", "desc")
    .orderBy("runId", "desc")
    .limit(limit + 1)
    .execute();
  const letters = rows.slice(0, limit);
  return { letters, nextCursor: rows.length > limit ? (letters.at(-1)?.runId ?? null) : null };
}

export const findLetter = async (
  db: Queryable,
  scope: CompanyScope,
  letterId: string,
): Promise<Letter | undefined> => await inScope(db, scope, letterId).executeTakeFirst();

/** The same, locked until `tx` ends: of two who decide about it, the second sees what the first did. */
export const lockLetter = async (
  tx: Tx,
  scope: CompanyScope,
  letterId: string,
): Promise<Letter | undefined> => await inScope(tx, scope, letterId).forUpdate().executeTakeFirst();

const inScope = (db: Queryable, scope: CompanyScope, letterId: string) =>
  db
    .selectFrom("deadLetters")
    .selectAll()
    .where("runId", "=", letterId)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope));

export type Settlement =
  | { readonly state: "discarded" }
  | {
      readonly state: "replayed";
      /** The run that does the work again, and the request that asked for it. */
      readonly replayRunId: string;
      readonly replayRequestId: string;
    };

/** Decide about a letter that {@link lockLetter} found open. Its job in the engine is cleared later. */
export async function settleLetter(
  tx: Tx,
  letterId: string,
  settlement: Settlement & { readonly by: string; readonly reason: string },
): Promise<void> {
  const { by, reason, ...change } = settlement;
  const { numUpdatedRows } = await tx
    .updateTable("deadLetters")
    .set({
      ...change,
      settledAt: sql<Date>`now()`,
      settledBy: by,
      settledReason: storableText(reason),
    })
    .where("runId", "=", letterId)
    .where("state", "=", "open")
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error(`letter ${letterId} is not open: lock it first`);
}
