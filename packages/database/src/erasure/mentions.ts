import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../database.ts";
import { ERASED, type Theirs } from "./theirs.ts";

/**
 * A regular expression of PostgreSQL that finds the addresses, each as a whole: `a@x.example` is no part of
 * `aa@x.example`, nor of `a@x.example.org`.
 */
function patternOf({ addresses }: Theirs): string {
  // Only what is no letter may be escaped there.
  const escaped = addresses.map((address) => address.replace(/[^\p{L}\p{N}]/gu, "\\$&"));
  return `(?<![\\w.+-])(?:${escaped.join("|")})(?![\\w-]|\\.\\w)`;
}

/** Whether one of the columns names one of their addresses. */
export const mentioning = (theirs: Theirs, columns: readonly string[]): RawBuilder<boolean> =>
  theirs.addresses.length === 0
    ? sql`false`
    : sql`concat_ws(' ', ${sql.join(columns.map((column) => sql`${sql.ref(column)}::text`))})
        ~* ${patternOf(theirs)}`;

/** Rows that the caller may change: of the company, and of none if the caller is of none. */
export const ofCaller = ({ companyId, scope }: Theirs): RawBuilder<boolean> =>
  scope === "all"
    ? sql`(company_id = ${companyId} OR company_id IS NULL)`
    : sql`company_id = ${companyId}`;

/** Runs of jobs that another team added, and their replays: the payloads of our own hold ids. */
export const foreign = (theirs: Theirs): RawBuilder<boolean> =>
  sql`(origin <> 'request' AND ${ofCaller(theirs)})`;

/** Take their addresses out of what else names them, such as the payload of a job that another team added. */
export async function eraseMentions(tx: Tx, theirs: Theirs): Promise<void> {
  if (theirs.addresses.length === 0) return;
  const pattern = patternOf(theirs);
  const erase = async (
    table: string,
    columns: Readonly<Record<string, "text" | "jsonb">>,
    where: RawBuilder<unknown>,
  ) => {
    const changes = Object.entries(columns).map(([column, type]) => {
      const ref = sql.ref(column);
      const without = sql`regexp_replace(${ref}::text, ${pattern}, ${ERASED}, 'gi')`;
      return sql`${ref} = ${without}::${sql.raw(type)}`;
    });
    await sql`
      UPDATE ${sql.table(table)} SET ${sql.join(changes)}
      WHERE ${where} AND ${mentioning(theirs, Object.keys(columns))}`.execute(tx);
  };
  for (const suffix of ["", "_history"]) {
    await erase(
      `job_attempts${suffix}`,
      { message: "text", stack: "text" },
      sql`run_id IN (SELECT id FROM ${sql.table(`job_runs${suffix}`)} WHERE ${foreign(theirs)})`,
    );
    await erase(
      `job_runs${suffix}`,
      { payload: "jsonb", progress: "jsonb", result: "jsonb", error_message: "text" },
      foreign(theirs),
    );
  }
  const ours = ofCaller(theirs);
  await erase("dead_letters", { payload: "jsonb", message: "text", stack: "text" }, ours);
  await erase("operator_actions", { before: "jsonb", after: "jsonb" }, ours); // a replay that changed a payload
}
