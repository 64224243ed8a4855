import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** For how long the reminder that waits longest should have begun, in seconds; 0 if none should. */
export async function longestLateReminderSeconds(
  db: Queryable,
  { queue, job }: { readonly queue: string; readonly job: string },
): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS seconds FROM job_runs
    WHERE queue = ${queue} AND job = ${job} AND state = 'waiting' AND due_at <= now()`.execute(db);
  return rows[0]?.seconds ?? 0;
}
