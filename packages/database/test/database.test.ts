import { createTestDatabase, until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test, vi } from "vitest";
import { DatabaseUnavailableError, isDatabaseAway, openDatabase, sqlState } from "../src/index.ts";

test("money comes back as bigint and a day as text, exactly", async () => {
  await using t = await createTestDatabase();
  const { rows } = await sql`
    SELECT 9007199254740993::bigint AS amount, '2026-03-01'::date AS day, 1.50::numeric AS quantity`.execute(
    t.db.kysely,
  );
  expect(rows).toEqual([{ amount: 9007199254740993n, day: "2026-03-01", quantity: "1.50" }]);
});

test("two transactions that deadlock both commit", async () => {
  await using t = await createTestDatabase();
  await sql`CREATE TABLE spots (id int PRIMARY KEY, n int)`.execute(t.db.kysely);
  await sql`INSERT INTO spots VALUES (1, 0), (2, 0)`.execute(t.db.kysely);
  const bothHoldOne = barrier(2);
  let tries = 0;

  await Promise.all(
    [
      [1, 2],
      [2, 1],
    ].map(([first, second]) =>
      t.db.transaction(async (tx) => {
        tries += 1;
        await sql`UPDATE spots SET n = n + 1 WHERE id = ${first}`.execute(tx);
        await bothHoldOne();
        await sql`UPDATE spots SET n = n + 1 WHERE id = ${second}`.execute(tx);
      }),
    ),
  );

  const { rows } = await sql`SELECT n FROM spots ORDER BY id`.execute(t.db.kysely);
  expect(rows).toEqual([{ n: 2 }, { n: 2 }]);
  expect(tries).toBeGreaterThan(2);
});

test("a transaction that fails otherwise is not tried again, and leaves nothing", async () => {
  await using t = await createTestDatabase();
  let tries = 0;
  const failing = t.db.transaction(async (tx) => {
    tries += 1;
    await tx.insertInto("marks").values({ name: "a", value: "1" }).execute();
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(tries).toBe(1);
  expect(await t.db.kysely.selectFrom("marks").selectAll().execute()).toEqual([]);
});

test("idle connections that the server ends are logged and replaced", async () => {
  await using t = await createTestDatabase();
  const warn = vi.fn();
  await using db = await openDatabase(t.url, { applicationName: "victim", log: { warn } });

  await terminate(t.db, "victim");

  await expect.poll(() => warn).toHaveBeenCalled();
  await db.ping();
});

test("a connection lost between two statements of a transaction fails that transaction alone", async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const work = db.transaction(async (tx) => {
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
    await sql`SELECT pg_terminate_backend(${rows[0]?.pid}, 5000)`.execute(db.kysely);
    // It may hear of the end with the next statement, or, as here, before it.
    await new Promise((resolve) => setImmediate(resolve));
    await sql`SELECT 1`.execute(db.kysely);
    return await sql`SELECT 1`.execute(tx);
  });
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isDatabaseAway(error), String(error)).toBe(true);

  await db.ping();
});

test("listeners share one connection, and each hears its channel alone", async () => {
  await using t = await createTestDatabase();
  const heard: string[] = [];
  await using _a = await t.db.listen("a", (payload) => heard.push(`a ${payload}`));
  await using _b = await t.db.listen("b", (payload) => heard.push(`b ${payload}`));
  const stopped = await t.db.listen("a", (payload) => heard.push(`stopped ${payload}`));
  await stopped[Symbol.asyncDispose]();

  await sql`SELECT pg_notify('a', '1'), pg_notify('b', '2')`.execute(t.db.kysely);

  await until(() => heard.length >= 2);
  expect(heard.sort()).toEqual(["a 1", "b 2"]);
  const { rows } = await sql`
    SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE '%:listen'`.execute(t.db.kysely);
  expect(rows).toEqual([{ n: 1 }]);
});

test("a listener whose connection was lost is told to look, and hears again", async () => {
  await using t = await createTestDatabase();
  await using db = await openDatabase(t.url, { applicationName: "victim" });
  const heard: string[] = [];
  await using _ = await db.listen("a", (payload) => heard.push(payload));

  await terminate(t.db, "victim:listen");
  await until(() => heard.includes(""), { what: "being told to look" });
  await sql`SELECT pg_notify('a', 'after')`.execute(t.db.kysely);

  await until(() => heard.includes("after"), { what: "hearing again" });
});

test("closing twice is harmless, also while the listener reconnects", async () => {
  await using t = await createTestDatabase();
  const db = await openDatabase(t.url, { applicationName: "victim" });
  await db.listen("a", () => {});
  await terminate(t.db, "victim:listen");
  await db[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await expect(db.ping()).rejects.toThrow();
});

test("a server that does not answer is named, without the password", async () => {
  const failure = await openDatabase("postgres://me:secret@127.0.0.1:1/ballast", {
    applicationName: "test",
  }).catch((error) => error);
  expect(failure).toBeInstanceOf(DatabaseUnavailableError);
  expect(failure.message).toMatch(/127\.0\.0\.1:1\/ballast.*DATABASE_URL/);
  expect(failure.message).not.toContain("secret");
});

test("a broken rule of the schema is told by its SQLSTATE", async () => {
  await using t = await createTestDatabase();
  const failure = await sql`SELECT 1 / 0`.execute(t.db.kysely).catch((error: unknown) => error);
  expect(sqlState(failure)).toBe("22012");
  expect(sqlState(new Error("no"))).toBeUndefined();
});

const terminate = (
  db: Awaited<ReturnType<typeof createTestDatabase>>["db"],
  applicationName: string,
) =>
  sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = ${applicationName} AND datname = current_database()`.execute(
    db.kysely,
  );

/** The first `parties` callers wait for each other; later ones pass. */
function barrier(parties: number): () => Promise<void> {
  let arrived = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  return () => {
    arrived += 1;
    if (arrived >= parties) resolve();
    return promise;
  };
}
