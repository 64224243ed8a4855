import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { openEmptyDatabase } from "@ballast/testing";
import { expect, test } from "vitest";
import { DatabaseUnavailableError, migrate, migrationNames, openDatabase } from "../src/index.ts";

test("five starters at once apply each migration once", async () => {
  await using database = await openEmptyDatabase();

  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)));

  expect(applied.flat().sort()).toEqual(migrationNames);
  expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  expect(await migrate(database.url)).toEqual([]);
});

test("the command says what it applied, and a second time that there is nothing to do", async () => {
  await using database = await openEmptyDatabase();
  const run = () =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, "../src/migrate.ts")], {
      env: { ...process.env, DATABASE_URL: database.url },
    });

  expect((await run()).stdout).toBe(`applied ${migrationNames.join(", ")}\n`);
  expect((await run()).stdout).toBe("schema is up to date\n");
});

test("an app that is rolled back finds a later release's schema, and nothing to do", async () => {
  await using database = await openEmptyDatabase();
  await migrate(database.url);
  await using db = await openDatabase(database.url, { applicationName: "test" });
  await db.kysely
    .insertInto("kysely_migration" as never)
    .values({ name: "9999-later", timestamp: new Date().toISOString() } as never)
    .execute();

  expect(await migrate(database.url)).toEqual([]);
});

test("a server that does not answer is named, without the password", async () => {
  const failure = await migrate("postgres://me:secret@127.0.0.1:1/ballast").catch((error) => error);

  expect(failure).toBeInstanceOf(DatabaseUnavailableError);
  expect(failure.message).toContain("127.0.0.1:1/ballast");
  expect(failure.message).not.toContain("secret");
});
