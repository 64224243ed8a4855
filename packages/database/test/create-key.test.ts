import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createTestDatabase } from "@ballast/testing";
import { expect, test } from "vitest";
import { findApiKey } from "../src/index.ts";

const program = join(import.meta.dirname, "../src/create-key.ts");

const run = (args: readonly string[], own: Record<string, string>) => {
  const { DATABASE_URL: _, ...env } = process.env;
  return promisify(execFile)(process.execPath, [program, ...args], { env: { ...env, ...own } });
};

test("the command makes a key with the scopes it is told, and prints it alone on stdout", async () => {
  await using database = await createTestDatabase();
  const dir = await mkdtemp(join(tmpdir(), "ballast-key-"));
  try {
    const file = join(dir, "url");
    writeFileSync(file, `${database.url}\n`);

    const { stdout } = await run(["shop", "--scope", "read"], { DATABASE_URL_FILE: file });

    expect(await findApiKey(database.db.kysely, stdout.trim())).toMatchObject({
      name: "shop",
      companyId: null,
      scopes: ["read"],
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test.each([
  ["no name", [], {}, "a key has one name"],
  ["an unknown scope", ["shop", "--scope", "all"], {}, 'no scope "all"'],
  ["both a URL and its file", ["shop"], { DATABASE_URL_FILE: "/x" }, "are both set"],
  ["no URL", ["shop"], { DATABASE_URL: "" }, "DATABASE_URL is not set"],
])("%s ends the command with 78 and how it is used", async (_, args, env, why) => {
  const failed = await run(args, { DATABASE_URL: "postgres://x", ...env }).catch((error) => error);
  expect(failed.code).toBe(78);
  expect(failed.stderr).toContain(why);
});
