import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { Gate, Remote } from "./port.ts";

/** A remote, or any of a kind. */
export interface RemoteChoice extends Pick<Remote, "kind"> {
  readonly key?: string;
}

/** A gate that does not let everybody through. */
export interface ShutGate
  extends Remote,
    Pick<Gate, "state" | "closedAt" | "code" | "message" | "nextProbeAt"> {}

/** Of a row `r` of remotes: whether everybody is let through, as whoever reads its gate is told. */
export const isOpen = sql`(r.gate = 'open' OR r.gate = 'ramping' AND r.opens_at <= now())`;

/** Of these remotes the one that has been away for longest; `undefined` if all are called. */
export async function findShutGate(
  db: Queryable,
  choices: readonly RemoteChoice[],
): Promise<ShutGate | undefined> {
  if (choices.length === 0) return undefined;
  const { rows } = await sql<ShutGate>`
    SELECT r.kind, r.key, r.gate AS state, r.closed_at, r.code, r.message, r.next_probe_at
    FROM remotes r
    JOIN jsonb_to_recordset(${JSON.stringify(choices)}::jsonb) AS c(kind text, key text)
      ON c.kind = r.kind AND coalesce(c.key, r.key) = r.key
    WHERE r.gate <> 'open' AND ${isOpen} IS NOT TRUE ORDER BY r.closed_at LIMIT 1`.execute(db);
  return rows[0];
}
