import { type Database, migrate, openDatabase, schemaFingerprint } from "@ballast/database";
import type pg from "pg";
import {
  asAdmin,
  createDatabase,
  dropDatabase,
  freshName,
  urlOfDatabase,
} from "./admin-connection.ts";
import { DatabaseShelf } from "./database-shelf.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
}

const shelf = new DatabaseShelf(async () => {
  template ??= prepareTemplate();
  const source = await template;
  const name = freshName("test");
  await asAdmin((client) => createDatabase(client, name, source));
  return name;
});
let template: Promise<string> | undefined;

/** A migrated, empty database of its own; disposing closes `db` and ends whoever is connected. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = await shelf.take();
  const url = urlOfDatabase(name);
  const db = await openDatabase(url, {
    applicationName: "ballast:test",
    poolMax: 10,
    connectTimeoutMs: 60_000, // a busy machine is no outage
  });
  let left: Promise<void> | undefined;
  return {
    url,
    db,
    [Symbol.asyncDispose]: () => (left ??= leave(name, db)),
  };
}

async function leave(name: string, db: Database): Promise<void> {
  await db[Symbol.asyncDispose]();
  await shelf.giveBack(name);
}

/** A constant of this package, so that all test processes of a server meet at one lock. */
const TEMPLATE_LOCK = 7_220_031;

/** Migrating takes far longer than copying, so it is done once per server and schema. */
async function prepareTemplate(): Promise<string> {
  const name = `ballast_template_${schemaFingerprint}`;
  await asAdmin(async (client) => {
    await client.query("SELECT pg_advisory_lock($1)", [TEMPLATE_LOCK]);
    if (!(await exists(client, name))) await build(client, name);
  });
  return name;
}

/** Under another name until it is complete: a process that dies here leaves no half-made template. */
async function build(client: pg.Client, name: string): Promise<void> {
  const unfinished = `${name}_unfinished`;
  await dropDatabase(client, unfinished);
  await createDatabase(client, unfinished);
  await migrate(urlOfDatabase(unfinished));
  await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
}

async function exists(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
  return rowCount === 1;
}
