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

  test("is gone afterwards, also while somebody is connected, and disposing twice is harmless", async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    client.on("error", () => {});
    await client.connect();

    await database[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();

    await expect(client.query("SELECT 1")).rejects.toThrow();
    await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(
      /does not exist/,
    );
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
      await one[Symbol.asyncDispose]();
      await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow();
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

function openRedis(url: string) {
  const client = new Redis(url);
  return { client, [Symbol.asyncDispose]: async () => client.disconnect() };
}
