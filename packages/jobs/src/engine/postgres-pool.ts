import type { Socket } from "node:net";
import pg from "pg";
import type { Log } from "../telemetry.ts";

/** Everything of BullMQ lives here, beside our own tables. */
export const SCHEMA = "bullmq";

const STATEMENT_TIMEOUT_MS = 30_000;
/** PostgreSQL has ended the statement by then and said so, if it is there. */
const SILENCE_MS = STATEMENT_TIMEOUT_MS + 5_000;
/** Less than a statement may take: who waits for the locks of a worker that vanished gets them rather than fails. */
const IDLE_IN_TRANSACTION_MS = 20_000;
/** PostgreSQL finds out within a minute that a worker's host vanished, rather than within two hours. */
const KEEP_ALIVE =
  "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60000";

export interface PoolOptions {
  readonly max: number;
  readonly silenceMs: number | undefined;
  readonly log: Log;
}

/** Connections for one of BullMQ's objects, which sets no deadlines of its own. */
export function openPool(url: string, { max, silenceMs = SILENCE_MS, log }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 3_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    options: `-c search_path=${SCHEMA} ${KEEP_ALIVE}`,
    // A worker whose listening connection is dead in silence may else wait for an hour.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: "ballast-queue",
  });
  pool.on("connect", (client) => {
    // Between two statements of a transaction nobody else listens, and an error ends the process.
    client.on("error", () => {});
    endOnSilence(client, silenceMs);
  });
  pool.on("error", (error) =>
    log.debug({ err: error }, "idle connection of the queue engine lost"),
  );
  return pool;
}

/**
 * Break a connection off that has owed an answer for `silenceMs`; on one where nobody asked anything for as long, ask.
 * The same as in `@ballast/database`, which this package does not know.
 */
function endOnSilence(client: pg.Client, silenceMs: number): void {
  // With TLS it is another stream than before it was connected.
  const stream = client.connection.stream as Socket;
  stream.setTimeout(silenceMs).on("timeout", () => {
    // pg's own, of which its types do not tell; a connection that is being closed answers no more.
    const { readyForQuery } = client as pg.Client & { readonly readyForQuery: boolean };
    if (readyForQuery && stream.writable) void client.query("SELECT 1").catch(() => {});
    else stream.destroy();
  });
}
