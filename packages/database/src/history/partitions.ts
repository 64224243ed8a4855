import { sql } from "kysely";
import type { Database, Queryable, Tx } from "../database.ts";

/** The three tables that make up the history; each has a partition per month, in UTC. */
const PARENTS = ["job_runs_history", "job_requests_history", "job_attempts_history"] as const;
/** Partitions stand ready for this many months after the present one, should nobody keep house for a while. */
const MONTHS_AHEAD = 2;
/** One replica at a time makes and drops partitions. A constant of this file. */
const PARTITIONS_LOCK = 7_220_032;

/** Taking a partition out waits for those who read it. Whoever keeps house must be able to stop. */
const DROP_PATIENCE_MS = 5_000;

/** A month as the count of months since year 0, so that it can be reckoned with. */
type Month = number;

export const monthOf = (moment: Date): Month => moment.getUTCFullYear() * 12 + moment.getUTCMonth();

const startOf = (month: Month): string =>
  new Date(Date.UTC(Math.floor(month / 12), month % 12, 1)).toISOString();

const partitionOf = (parent: string, month: Month): string =>
  `${parent}_${startOf(month).slice(0, 7).replace("-", "_")}`;

interface Partition {
  readonly name: string;
  readonly parent: string;
  readonly month: Month;
  /** `detaching`: somebody began to take it out and did not end. */
  readonly state: "attached" | "detaching" | "detached";
}

/** Make the partitions from the month of `oldest` until some months from now. @returns their names */
export async function makePartitions(
  database: Database,
  oldest: Date,
  now: Date,
): Promise<string[]> {
  if ((await missing(database.kysely, oldest, now)).length === 0) return [];
  return await database.transaction(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${PARTITIONS_LOCK})`.execute(tx);
    const names: string[] = [];
    for (const { parent, month } of await missing(tx, oldest, now))
      names.push(await makePartition(tx, parent, month));
    return names;
  });
}

async function missing(db: Queryable, oldest: Date, now: Date) {
  const attached = new Set(
    (await partitions(db)).filter(({ state }) => state === "attached").map(({ name }) => name),
  );
  const first = Math.min(monthOf(oldest), monthOf(now));
  const months = Array.from(
    { length: monthOf(now) + MONTHS_AHEAD - first + 1 },
    (_, index) => first + index,
  );
  return months
    .flatMap((month) => PARENTS.map((parent) => ({ parent, month })))
    .filter(({ parent, month }) => !attached.has(partitionOf(parent, month)));
}

/** Made apart and then attached, since `PARTITION OF` would lock out whoever reads the history. */
async function makePartition(tx: Tx, parent: string, month: Month): Promise<string> {
  const name = partitionOf(parent, month);
  const [table, of] = [sql.table(name), sql.table(parent)];
  await sql`DROP TABLE IF EXISTS ${table}`.execute(tx); // one that was taken out and not dropped
  await sql`CREATE TABLE ${table} (LIKE ${of} INCLUDING DEFAULTS)`.execute(tx);
  await sql`ALTER TABLE ${of} ATTACH PARTITION ${table}
    FOR VALUES FROM (${sql.lit(startOf(month))}) TO (${sql.lit(startOf(month + 1))})`.execute(tx);
  return name;
}

/**
 * Drop the partitions of months before `oldest`. Nobody who reads the history waits for it.
 *
 * Begun and not ended, by a crash or a statement's timeout, it goes on where it stopped.
 *
 * @returns the names of those dropped; none while another replica is at it
 */
export async function dropPartitions(database: Database, oldest: Month): Promise<string[]> {
  return await database.transaction(async (tx) => {
    const { rows } = await sql<{ mine: boolean }>`
      SELECT pg_try_advisory_xact_lock(${PARTITIONS_LOCK}) AS mine`.execute(tx);
    if (!rows[0]?.mine) return [];
    const old = (await partitions(tx)).filter(({ month }) => month < oldest);
    // Taking out concurrently is not possible inside of a transaction: this one only holds the lock.
    for (const partition of old) {
      await dropPartition(database.kysely, partition);
      await sql`SELECT 1`.execute(tx); // one that is idle for long loses its lock
    }
    return old.map(({ name }) => name);
  });
}

async function dropPartition(db: Queryable, { name, parent, state }: Partition): Promise<void> {
  const [table, of] = [sql.table(name), sql.table(parent)];
  const how = { attached: sql`CONCURRENTLY`, detaching: sql`FINALIZE`, detached: undefined }[state];
  await db.connection().execute(async (connection) => {
    await sql`SET statement_timeout = ${sql.lit(DROP_PATIENCE_MS)}`.execute(connection);
    try {
      if (how) await sql`ALTER TABLE ${of} DETACH PARTITION ${table} ${how}`.execute(connection);
      await sql`DROP TABLE ${table}`.execute(connection);
    } finally {
      await sql`RESET statement_timeout`.execute(connection);
    }
  });
}

async function partitions(db: Queryable): Promise<Partition[]> {
  const { rows } = await sql<Pick<Partition, "name" | "state">>`
    SELECT c.relname::text AS name, CASE
      WHEN i.inhrelid IS NULL THEN 'detached'
      WHEN i.inhdetachpending THEN 'detaching'
      ELSE 'attached' END AS state
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
      AND c.relname ~ '^job_(runs|requests|attempts)_history_[0-9]{4}_[0-9]{2}$'
    ORDER BY c.relname`.execute(db);
  return rows.map(({ name, state }) => {
    const [year, month] = name.slice(-7).split("_").map(Number);
    return {
      name,
      state,
      parent: name.slice(0, -8),
      month: Number(year) * 12 + Number(month) - 1,
    };
  });
}
