import { migrate } from "@ballast/database";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { createTestDatabase, describeEachEngine, openEmptyDatabase } from "../src/index.ts";

describe("a test database", () => {
  test("is migrated, empty and nobody else's", async () => {
    await using one = await createTestDatabase();
    await using other = await createTestDatabase();
    await one.db.kysely.insertInto("marks").values({ name: "a", value: "1" }).execute();
    const marks = other.db.kysely.selectFrom("marks").selectAll();
    expect(await marks.execute()).toEqual([]);
  });

  test("ends whoever is connected when it is left, and disposing twice is harmless", async () => {
    const database = await createTestDatabase();
    await using client = await connectTo(database.url);

    await database[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();

    await expect(client.query("SELECT 1")).rejects.toThrow();
  });

  test("is given to the next test as migration makes it", async () => {
    const left = await createTestDatabase();
    await left.db.kysely.insertInto("marks").values({ name: "a", value: "1" }).execute();
    const first = await nextChange(left.url);
    await left[Symbol.asyncDispose]();

    await using next = await createTestDatabase();

    expect(next.url).toBe(left.url);
    expect(await next.db.kysely.selectFrom("marks").selectAll().execute()).toEqual([]);
    expect(await nextChange(next.url)).toEqual(first);
    expect(await migrate(next.url)).toEqual([]);
  });

  test("is given to nobody if its tables were changed", async () => {
    const left = await createTestDatabase();
    await run(left.url, "ALTER TABLE marks ADD COLUMN more text");
    await left[Symbol.asyncDispose]();

    await using next = await createTestDatabase();

    expect(next.url).not.toBe(left.url);
    await expect(connectTo(left.url)).rejects.toThrow(/does not exist/);
  });

  test("many are made at once", async () => {
    await using stack = new AsyncDisposableStack();
    const made = await Promise.all(Array.from({ length: 5 }, () => createTestDatabase()));
    for (const database of made) stack.use(database);
    expect(new Set(made.map(({ url }) => url)).size).toBe(5);
  });
});

test("an empty database holds no table of ours", async () => {
  await using database = await openEmptyDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
  );
  await client.end();
  expect(rows).toEqual([]);
});

describeEachEngine("an engine", (engine) => {
  test("has room of its own, and nothing is left in it", async () => {
    const one = await engine.open();
    await using other = await engine.open();
    expect(other.prefix).not.toBe(one.prefix);
    expect(one.url.startsWith(engine.kind)).toBe(true);
    if (engine.kind === "postgres") {
      await run(one.url, "CREATE TABLE left_behind AS SELECT 1 AS n");
      await one[Symbol.asyncDispose]();
      await using next = await engine.open();
      expect(next.url).toBe(one.url);
      expect(await run(next.url, "SELECT * FROM left_behind")).toEqual([]);
      return;
    }
    await using redis = openRedis(one.url);
    await redis.client.set(`${one.prefix}:pdf:1`, "mine");
    await redis.client.set(`${other.prefix}:pdf:1`, "theirs");
    await one[Symbol.asyncDispose]();
    expect(await redis.client.get(`${one.prefix}:pdf:1`)).toBeNull();
    expect(await redis.client.get(`${other.prefix}:pdf:1`)).toBe("theirs");
  });
});

async function connectTo(connectionString: string) {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {}); // the query that meets it reports it
  await client.connect();
  return {
    query: (text: string) => client.query(text),
    [Symbol.asyncDispose]: () => client.end().catch(() => {}),
  };
}

async function run(url: string, statement: string) {
  await using client = await connectTo(url);
  return (await client.query(statement)).rows;
}

const nextChange = (url: string) => run(url, "SELECT nextval('job_run_changes') AS step");

function openRedis(url: string) {
  const client = new Redis(url);
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}
