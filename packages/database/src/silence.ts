import type { Socket } from "node:net";
import type pg from "pg";

/** A peer that vanished is found out by asking; the kernel's own habit is to ask after two hours. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * The same on the server's side: connections of a host that vanished are gone within a minute, or they and those of
 * its successor would be more than it takes.
 */
export const SERVER_KEEP_ALIVE =
  "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60000";

/**
 * Break a connection off that has owed an answer for `silenceMs`; on one where nobody asked anything for as long, ask.
 *
 * The server's deadlines vanish with its host, and what the kernel cannot deliver it repeats for a quarter of an hour.
 * The socket keeps the time, so a query costs no timer. Who waits hears `Connection terminated unexpectedly`.
 *
 * @param client connected
 */
export function endOnSilence(client: pg.Client, silenceMs: number, tell: () => void): void {
  // With TLS it is another stream than before it was connected.
  const stream = client.connection.stream as Socket;
  stream.setTimeout(silenceMs).on("timeout", () => {
    // pg's own, of which its types do not tell; a connection that is being closed answers no more.
    const { readyForQuery } = client as pg.Client & { readonly readyForQuery: boolean };
    if (readyForQuery && stream.writable) return void client.query("SELECT 1").catch(() => {});
    tell();
    stream.destroy();
  });
}
