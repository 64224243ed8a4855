import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { IncidentState, LetterState } from "../schema.ts";

export interface LetterCensus {
  readonly letters: ReadonlyArray<{ queue: string; state: LetterState; count: number }>;
  readonly incidents: ReadonlyArray<{ state: IncidentState; count: number }>;
}

/** How many letters and incidents there are, by state. */
export async function letterCensus(db: Queryable): Promise<LetterCensus> {
  const letters = await db
    .selectFrom("deadLetters")
    .select(["queue", "state", sql<number>`count(*)::int`.as("count")])
    .groupBy(["queue", "state"])
    .execute();
  const incidents = await db
    .selectFrom("incidents")
    .select(["state", sql<number>`count(*)::int`.as("count")])
    .groupBy("state")
    .execute();
  return { letters, incidents };
}

/**
 * Hold or take the part that only one process may play, for `leaseMs` from now.
 *
 * @returns whether `holder` has it
 */
export async function holdPart(
  db: Queryable,
  part: string,
  holder: string,
  leaseMs: number,
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO marks (name, value) VALUES (${part}, ${holder})
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, written_at = now()
    WHERE marks.value = excluded.value
      OR marks.written_at < now() - ${leaseMs} * interval '1 millisecond'
    RETURNING name`.execute(db);
  return rows.length > 0;
}

/** Let another process have the part at once; one that is not held is left alone. */
export async function leavePart(db: Queryable, part: string, holder: string): Promise<void> {
  await db.deleteFrom("marks").where("name", "=", part).where("value", "=", holder).execute();
}
