import { CamelCasePlugin, Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import { openListener } from "./listener.ts";
import { isRetryable } from "./pg-errors.ts";
import { preparedPool } from "./prepared-pool.ts";
import type { Schema } from "./schema.ts";
import { endOnSilence, KEEP_ALIVE, SERVER_KEEP_ALIVE } from "./silence.ts";

export type Tx = Transaction<Schema>;
/** Where a query may run: on its own, or inside a transaction. */
export type Queryable = Kysely<Schema>;

/** What the database tells its owner; a pino logger fits. */
export interface DatabaseLog {
  warn(details: Record<string, unknown>, message: string): void;
}

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`, e.g. `pdf-worker`. */
  readonly applicationName: string;
  /** Connections at most, besides the one that listens. Default 10. */
  readonly poolMax?: number;
  /** Longest wait for a connection, one of the pool to come free included. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A connection that owes an answer for this long is broken off. Default 35,000. */
  readonly silenceMs?: number;
  /** A transaction that asks nothing for this long is broken off by PostgreSQL. Default 20,000. */
  readonly idleInTransactionMs?: number;
  readonly log?: DatabaseLog;
}

export interface Database extends AsyncDisposable {
  readonly kysely: Queryable;
  /**
   * Commit what `work` did, or nothing of it.
   *
   * Runs `work` again, up to 3 more times, after a deadlock or a serialization failure: it must not
   * have effects outside of `tx`.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** @throws if PostgreSQL does not answer */
  ping(): Promise<void>;
  /**
   * Hear `NOTIFY` on `channel`, over one connection that all listeners share and that reconnects.
   *
   * Notifications sent while it was away are lost: `onMessage` is called once with `""` after each
   * reconnect, so a listener that looks at the tables then misses nothing.
   */
  listen(channel: string, onMessage: (payload: string) => void): Promise<AsyncDisposable>;
}

const MAX_RETRIES = 3;
/** Longer than any query of ours; a statement that hangs must not hold a pooled connection for ever. */
const STATEMENT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** PostgreSQL has ended the statement by then and said so, if it is there. */
const SILENCE_MS = STATEMENT_TIMEOUT_MS + 5_000;
/**
 * Whoever vanishes within a transaction leaves its locks behind. Less than a statement may take, so that those who wait
 * for them get them rather than fail; more than we ever pause in one.
 */
const IDLE_IN_TRANSACTION_MS = 20_000;
/**
 * Each question of ours has an index, and is asked thousands of times. PostgreSQL takes an array of one run for ten and
 * a JSON document of one for a hundred, and rather read all of 6,000 runs, once for each part of a statement: a start
 * took 2.7 ms so, and takes 0.5. Before PostgreSQL 18 a table that is read all the same would count as dear enough to
 * be compiled for.
 */
const PLANNER = "-c enable_seqscan=off -c jit=off";

/**
 * Connect to PostgreSQL 15 or newer.
 *
 * @param url `postgres://user:password@host:port/database`
 * @throws {DatabaseUnavailableError} if it does not answer
 */
export async function openDatabase(url: string, options: DatabaseOptions): Promise<Database> {
  const { applicationName, poolMax = 10, connectTimeoutMs = CONNECT_TIMEOUT_MS, log } = options;
  const { silenceMs = SILENCE_MS, idleInTransactionMs = IDLE_IN_TRANSACTION_MS } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: poolMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    options: `${SERVER_KEEP_ALIVE} ${PLANNER}`,
    ...KEEP_ALIVE,
    types: columnTypes,
  });
  // An idle connection that breaks is dropped by the pool; without a listener the process would end.
  pool.on("error", (error) => log?.warn({ err: error }, "idle database connection lost"));
  // The pool listens to idle ones alone. One that breaks between two statements of a transaction would
  // end the process too; the next statement fails and says so.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    endOnSilence(client, silenceMs, () =>
      log?.warn({ silenceMs }, "PostgreSQL owed an answer for too long; connection given up"),
    );
  });

  const kysely = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: preparedPool(pool) }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const listener = openListener(url, `${applicationName}:listen`, { silenceMs, log });
  const ping = async () => {
    await sql`SELECT 1`.execute(kysely);
  };
  let closed: Promise<void> | undefined;

  try {
    await ping();
  } catch (cause) {
    await kysely.destroy();
    throw new DatabaseUnavailableError(url, cause);
  }

  return {
    kysely,
    transaction: async (work) => {
      for (let retries = 0; ; retries += 1) {
        try {
          return await kysely.transaction().execute(work);
        } catch (error) {
          if (!isRetryable(error) || retries >= MAX_RETRIES) throw error;
        }
      }
    },
    ping,
    listen: listener.listen,
    [Symbol.asyncDispose]: () => {
      closed ??= Promise.all([listener[Symbol.asyncDispose](), kysely.destroy()]).then(() => {});
      return closed;
    },
  };
}

export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";

  constructor(url: string, cause: unknown) {
    const { host, pathname } = new URL(url); // without user and password
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    super(
      `PostgreSQL at ${host}${pathname} does not answer (${reason}): is it running, and is DATABASE_URL right?`,
      { cause },
    );
  }
}

const INT8 = pg.types.builtins.INT8;
const DATE = pg.types.builtins.DATE;

/** Money is `bigint`, never a float; a `date` stays the text `YYYY-MM-DD`. All else as pg has it. */
const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (oid === INT8) return BigInt;
    if (oid === DATE) return (text: string) => text;
    return pg.types.getTypeParser(oid, format as "text");
  }) as typeof pg.types.getTypeParser,
};
