import pg from "pg";
import { asAdmin, dropDatabase, urlOfDatabase } from "./admin-connection.ts";
import { keepForThisFile } from "./kept.ts";

/**
 * Databases that a test has left and the next one takes: emptying one costs a tenth of making it.
 *
 * One whose tables, columns or partitions are no longer as they were is dropped instead.
 */
export class DatabaseShelf implements AsyncDisposable {
  readonly #make: () => Promise<string>;
  readonly #names: string[] = [];
  #shape: string | undefined;
  #isKept = false;

  /** @param make makes a database, empty but for its schema, and resolves with its name */
  constructor(make: () => Promise<string>) {
    this.#make = make;
  }

  async take(): Promise<string> {
    return this.#names.pop() ?? (await this.#make());
  }

  /** Empty it, whoever is connected, for the next to take. */
  async giveBack(name: string): Promise<void> {
    const shape = await emptyAll(name).catch(() => undefined);
    this.#shape ??= shape;
    if (shape === undefined || shape !== this.#shape)
      return asAdmin(async (client) => void (await dropDatabase(client, name)));
    this.#names.push(name);
    if (!this.#isKept) keepForThisFile(this);
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isKept = false;
    const names = this.#names.splice(0);
    await asAdmin(async (client) => {
      for (const name of names) await dropDatabase(client, name);
    });
  }
}

const END_OTHERS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`;

/** Tables with rows alone: emptying one gives it new files. Sequences go back to their starts. */
const EMPTY_TABLES = `DO $$
DECLARE
  this record;
  is_filled boolean;
  filled text[] := '{}';
BEGIN
  FOR this IN
    SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)' AND c.relname NOT LIKE '%migration%'
  LOOP
    EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || this.name || ')' INTO is_filled;
    IF is_filled THEN filled := filled || this.name; END IF;
  END LOOP;
  IF filled <> '{}' THEN
    EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' RESTART IDENTITY CASCADE';
  END IF;
  FOR this IN
    SELECT format('%I.%I', schemaname, sequencename) AS name, start_value FROM pg_sequences
    WHERE last_value IS NOT NULL
  LOOP
    PERFORM setval(this.name::regclass, this.start_value, false);
  END LOOP;
END $$`;

const SHAPE = `SELECT md5(string_agg(concat_ws(' ', c.oid::regclass, c.relkind, a.attname, a.atttypid, a.attnotnull,
    c.relispartition), ',' ORDER BY c.oid::regclass::text, a.attnum)) AS shape
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE n.nspname !~ '^(pg_|information_schema)' AND a.attnum > 0`;

/** Resolves with a digest of its schema. */
async function emptyAll(name: string): Promise<string> {
  const client = new pg.Client({ connectionString: urlOfDatabase(name) });
  client.on("error", () => {}); // the statement that meets it reports it
  await client.connect();
  try {
    await client.query(END_OTHERS);
    await client.query(EMPTY_TABLES);
    const { rows } = await client.query<{ shape: string | null }>(SHAPE);
    return rows[0]?.shape ?? "nothing";
  } finally {
    await client.end();
  }
}
