import type { Database } from "@ballast/database";
import { until } from "@ballast/testing";
import { type RawBuilder, sql } from "kysely";
import type { Stack } from "./stack/stack.ts";

/** Runs of the stack by state; a state that none is in is absent. */
export async function runsByState(db: Database): Promise<Partial<Record<string, number>>> {
  const { rows } = await sql<{ state: string; n: number }>`
    SELECT state, count(*)::int AS n FROM job_runs GROUP BY state`.execute(db.kysely);
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** Where each accepted request stands, by its `Location`; one that is not there at all is lost. */
export async function statesOf(
  db: Database,
  locations: readonly string[],
): Promise<Partial<Record<string, number>>> {
  const accepted = locations.filter((location) => location !== ""); // what was refused has none
  const ids = accepted.map((location) => location.slice(location.lastIndexOf("/") + 1));
  const { rows } = await sql<{ state: string; n: number }>`
    SELECT coalesce(r.state, 'lost') AS state, count(*)::int AS n
    FROM unnest(${ids}::uuid[]) AS asked(id)
    LEFT JOIN job_requests q ON q.id = asked.id LEFT JOIN job_runs r ON r.id = q.run_id
    GROUP BY 1`.execute(db.kysely);
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/**
 * Wait until no run is alive any more.
 *
 * @returns the milliseconds that took; `undefined` if some still are after `deadlineMs`
 */
export async function untilAllOver(db: Database, deadlineMs: number): Promise<number | undefined> {
  const began = performance.now();
  const isOver = async () => {
    const { waiting = 0, started = 0 } = await runsByState(db);
    return waiting + started === 0;
  };
  return await until(isOver, { deadlineMs, intervalMs: 100 }).then(
    () => Math.round(performance.now() - began),
    () => undefined,
  );
}

/** Runs of `echo` whose work was done more than once. */
export async function doubledEffects(db: Database): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM (
      SELECT run_id FROM drill_effects GROUP BY run_id HAVING count(*) > 1) d`.execute(db.kysely);
  return rows[0]?.n ?? 0;
}

/** Mails of which the server got more than one copy, by Message-ID. */
export function doubledMails({ smtp }: Stack): number {
  const copies = Map.groupBy(smtp.mails, ({ parsed }) => parsed.messageId);
  return [...copies.values()].filter(({ length }) => length > 1).length;
}

/** What runs died of, e.g. `crashed_process 2`, and in its own words what nobody expected; empty if none did. */
export async function causesOfDeath(db: Database): Promise<string> {
  const { rows } = await sql<{ code: string; n: number }>`
    SELECT CASE WHEN code = 'unexpected_error' THEN code || ' (' || left(message, 120) || ')'
      ELSE code END AS code, count(*)::int AS n
    FROM dead_letters GROUP BY 1 ORDER BY 1`.execute(db.kysely);
  return rows.map(({ code, n }) => `${code} ${n}`).join(", ");
}

/** How many rows there are `FROM` this. */
export async function numberOf(db: Database, statement: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM ${statement}`.execute(
    db.kysely,
  );
  return rows[0]?.n ?? 0;
}
