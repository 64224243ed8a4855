import type { PostgresPool, PostgresPoolClient } from "kysely";
import type pg from "pg";
import { isPlanOutdated } from "./pg-errors.ts";

/** A statement that came so often comes again. */
const OFTEN = 3;
/**
 * A plan is made for tables as large as they are then: one of an empty table took a start beside 100,000 runs from
 * 10 ms to 100. PostgreSQL itself plans anew when it has counted, a minute later.
 */
const PLANS_LAST_MS = 10_000;
/** Plans that a connection keeps at most; each takes PostgreSQL some 50 to 300 kB. */
const MOST_NAMES = 200;
/** Texts that are counted, most of which come once: lists of n values have a text for each n. */
const MOST_COUNTED = 2_000;

/**
 * The pool as Kysely sees it, whose connections keep the plans of statements that come again.
 *
 * To plan one of our longer statements takes PostgreSQL several times as long as to run it for one row.
 */
export function preparedPool(pool: pg.Pool): PostgresPool {
  const names = new StatementNames();
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      const prepared = known.get(client) ?? preparing(client, names);
      known.set(client, prepared);
      return prepared;
    },
    end: () => pool.end(),
  };
}

function preparing(client: pg.PoolClient, names: StatementNames): PostgresPoolClient {
  let plannedAt = Date.now();
  const query = async (text: string, parameters: readonly unknown[]) => {
    const statement = { text, values: [...parameters] };
    const name = names.of(text, parameters.length);
    if (name === undefined) return await client.query(statement);
    if (Date.now() - plannedAt > PLANS_LAST_MS) {
      plannedAt = Date.now();
      await client.query("DISCARD PLANS");
    }
    try {
      return await client.query({ ...statement, name });
    } catch (error) {
      if (!isPlanOutdated(error)) throw error;
      names.forget(text);
      // A transaction is over with that, and is done again as after a deadlock.
      if (client.getTransactionStatus() !== "I") throw error;
      return await client.query(statement);
    }
  };
  // Kysely asks for cursors too, which nobody here opens.
  return { query: query as never, release: (discard) => client.release(discard) };
}

/** Which statements have a name, under which each connection keeps its plan. */
class StatementNames {
  readonly #counts = new Map<string, number>();
  readonly #names = new Map<string, string | undefined>();

  of(text: string, values: number): string | undefined {
    // Without values it may be several statements, which cannot be prepared; BEGIN and COMMIT have no plan.
    if (values === 0) return undefined;
    if (this.#names.has(text)) return this.#names.get(text);
    const count = (this.#counts.get(text) ?? 0) + 1;
    if (count < OFTEN || this.#names.size >= MOST_NAMES) {
      if (this.#counts.size >= MOST_COUNTED) this.#counts.clear();
      this.#counts.set(text, count);
      return undefined;
    }
    this.#counts.delete(text);
    const name = `ballast_${this.#names.size + 1}`;
    this.#names.set(text, name);
    return name;
  }

  /** Never again under a name: a column came or went, and every connection has the plan from before. */
  forget(text: string): void {
    this.#names.set(text, undefined);
  }
}
