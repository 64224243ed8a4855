import { createTestDatabase } from "@ballast/testing";
import { sql } from "kysely";
import { expect, onTestFinished, test, vi } from "vitest";
import { openDatabase, type Queryable } from "../src/index.ts";

/** Plans and the table are those of one connection, so there is one. */
async function setup() {
  const open = new AsyncDisposableStack();
  const { url } = open.use(await createTestDatabase());
  const db = open.use(await openDatabase(url, { applicationName: "test", poolMax: 1 }));
  await sql`CREATE TEMP TABLE spots (id int PRIMARY KEY)`.execute(db.kysely);
  await sql`INSERT INTO spots VALUES (1)`.execute(db.kysely);
  return { db, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const spot = async (on: Queryable, id = 1) =>
  (await sql<object>`SELECT * FROM spots WHERE id = ${id}`.execute(on)).rows;
const planned = async (db: Queryable) =>
  (await sql<{ statement: string }>`SELECT statement FROM pg_prepared_statements`.execute(db)).rows;
const askOften = async (db: Queryable) => {
  for (let n = 0; n < 5; n++) await spot(db);
};

test("a statement that comes often is planned once, one that comes seldom is not kept", async () => {
  await using t = await setup();
  await spot(t.db.kysely);
  expect(await planned(t.db.kysely)).toEqual([]);
  await askOften(t.db.kysely);
  expect(await planned(t.db.kysely)).toMatchObject([
    { statement: "SELECT * FROM spots WHERE id = $1" },
  ]);
  expect(await spot(t.db.kysely, 2)).toEqual([]);
});

test("a column that a migration adds is there, in a transaction too", async () => {
  await using t = await setup();
  await askOften(t.db.kysely);
  await sql`ALTER TABLE spots ADD COLUMN kind text DEFAULT 'dry'`.execute(t.db.kysely);
  expect(await spot(t.db.kysely)).toEqual([{ id: 1, kind: "dry" }]);
  expect(await spot(t.db.kysely)).toEqual([{ id: 1, kind: "dry" }]);

  await using other = await setup();
  await askOften(other.db.kysely);
  await sql`ALTER TABLE spots ADD COLUMN kind text DEFAULT 'dry'`.execute(other.db.kysely);
  expect(await other.db.transaction((tx) => spot(tx))).toEqual([{ id: 1, kind: "dry" }]);
});

test("thousands of texts that come once each are not kept, and do not keep out one that comes often", async () => {
  await using t = await setup();
  for (let n = 0; n < 2_500; n++) await sql`SELECT ${n}::int, ${sql.lit(n)}`.execute(t.db.kysely);
  await askOften(t.db.kysely);
  expect(await planned(t.db.kysely)).toHaveLength(1);
});

test("a plan for a small table does not outlive the table's growth for long", async () => {
  await using t = await setup();
  const spotsFrom = () => sql`SELECT * FROM spots WHERE id >= ${1}`.execute(t.db.kysely);
  const expected = async () => {
    const { rows } = await sql<object>`EXPLAIN EXECUTE ballast_1 (1)`.execute(t.db.kysely);
    return Number(/rows=(\d+)/.exec(JSON.stringify(rows))?.[1]);
  };
  await sql`ANALYZE spots`.execute(t.db.kysely);
  for (let n = 0; n < 10; n++) await spotsFrom();
  await sql`INSERT INTO spots SELECT generate_series(2, 50000)`.execute(t.db.kysely);
  expect(await expected()).toBe(1);

  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11_000 });
  onTestFinished(() => void vi.useRealTimers());
  await spotsFrom();
  expect(await expected()).toBeGreaterThan(50);
});
