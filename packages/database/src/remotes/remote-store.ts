import { sql } from "kysely";
import type { Database, Queryable, Tx } from "../database.ts";
import { storableText } from "../storable.ts";
import type { Bucket, Gate, Remote, RemoteState, RemoteStore } from "./port.ts";

type Row = Omit<Gate, "state"> & Bucket & { readonly gate: Gate["state"]; readonly now: Date };

const UNTOUCHED: RemoteState = {
  gate: {
    state: "open",
    failures: 0,
    probes: 0,
    successes: 0,
    closedAt: null,
    code: null,
    message: null,
    nextProbeAt: null,
    opensAt: null,
  },
  bucket: {
    capacity: null,
    restorePerSecond: null,
    tokens: 0,
    tokensAt: new Date(0),
    blockedUntil: null,
    resetsAt: null,
  },
};

const columns = sql`gate, failures, probes, successes, closed_at, code, message, next_probe_at, opens_at,
  capacity, restore_per_second, tokens, tokens_at, blocked_until, resets_at, clock_timestamp() AS now`;

/** The job runtime's store of remotes on this database. It owns nothing: dispose the database itself. */
export function openRemoteStore(database: Database): RemoteStore {
  return {
    read: (remote) => find(database.kysely, remote),
    change: (remote, change) =>
      database.transaction(async (tx) => {
        const { now, ...found } = await lock(tx, remote);
        const { state, answer } = change(found, now);
        if (state !== undefined) await write(tx, remote, { ...found, ...state });
        return answer;
      }),
  };
}

/** A remote as its metrics tell it. */
export interface CountedRemote extends Remote, RemoteState {
  /** The kind of a marketplace account, e.g. `shopify`; `null` for any other remote. */
  readonly marketplace: string | null;
  readonly now: Date;
}

/** Every marketplace account, and every other remote that somebody wrote about, by kind and key. */
export async function remoteCensus(db: Queryable): Promise<CountedRemote[]> {
  const { rows } = await sql<Partial<Row> & Remote & Pick<CountedRemote, "marketplace" | "now">>`
    SELECT coalesce(r.kind, 'marketplace') AS kind, coalesce(r.key, a.id::text) AS key,
           a.kind AS marketplace, r.gate, r.failures, r.probes, r.successes, r.closed_at, r.code,
           r.message, r.next_probe_at, r.opens_at, r.capacity, r.restore_per_second, r.tokens, r.tokens_at,
           r.blocked_until, r.resets_at, clock_timestamp() AS now
    FROM remotes r
    FULL JOIN marketplace_accounts a ON r.kind = 'marketplace' AND r.key = a.id::text
    ORDER BY 1, 2`.execute(db);
  return rows.map(({ kind, key, marketplace, now, ...row }) => ({
    ...(row.gate ? stateOf({ ...row, now } as Row) : UNTOUCHED),
    ...{ kind, key, marketplace, now },
  }));
}

/** A remote that nobody wrote about is as a new row would be. */
async function find(db: Queryable, { kind, key }: Remote): Promise<RemoteState & { now: Date }> {
  const { rows } = await sql<Row>`
    SELECT ${columns} FROM remotes WHERE kind = ${kind} AND key = ${key}`.execute(db);
  if (rows[0] !== undefined) return stateOf(rows[0]);
  const now = new Date();
  return { ...UNTOUCHED, now };
}

async function lock(tx: Tx, { kind, key }: Remote): Promise<RemoteState & { now: Date }> {
  const locked = async () => {
    const { rows } = await sql<Row>`
      SELECT ${columns} FROM remotes WHERE kind = ${kind} AND key = ${key} FOR UPDATE`.execute(tx);
    return rows[0] && stateOf(rows[0]);
  };
  const found = await locked();
  if (found !== undefined) return found;
  await sql`INSERT INTO remotes (kind, key) VALUES (${kind}, ${key}) ON CONFLICT DO NOTHING`.execute(
    tx,
  );
  const made = await locked();
  if (made === undefined) throw new Error(`the row of ${kind} ${key} was removed meanwhile`);
  return made;
}

async function write(db: Queryable, { kind, key }: Remote, { gate, bucket }: RemoteState) {
  await db
    .updateTable("remotes")
    .set({
      gate: gate.state,
      failures: gate.failures,
      probes: gate.probes,
      successes: gate.successes,
      closedAt: gate.closedAt,
      code: gate.code,
      message: gate.message === null ? null : storableText(gate.message),
      nextProbeAt: gate.nextProbeAt,
      opensAt: gate.opensAt,
      ...bucket,
      changedAt: sql<Date>`now()`,
    })
    .where("kind", "=", kind)
    .where("key", "=", key)
    .execute();
}

function stateOf(row: Row): RemoteState & { readonly now: Date } {
  const { gate: state, failures, probes, successes, closedAt, code, message } = row;
  const { nextProbeAt, opensAt, now } = row;
  const { capacity, restorePerSecond, tokens, tokensAt, blockedUntil, resetsAt } = row;
  const hasOpened = state === "ramping" && opensAt !== null && opensAt <= now;
  const gate = {
    state,
    failures,
    probes,
    successes,
    closedAt,
    code,
    message,
    nextProbeAt,
    opensAt,
  };
  return {
    gate: hasOpened ? UNTOUCHED.gate : gate,
    bucket: { capacity, restorePerSecond, tokens, tokensAt, blockedUntil, resetsAt },
    now,
  };
}
