import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { ConfigError, type Env, readEnv, serviceConfig, serviceEnv } from "../src/index.ts";

const schema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres$/ }).describe("postgres://user:password@host/name"),
  API_PORT: z.coerce.number().int().max(65_535).describe("a port, 1 to 65535").default(8_080),
  GREETING: z.string().optional(),
});

async function aFolder() {
  const path = await mkdtemp(join(tmpdir(), "ballast-env-"));
  return {
    async file(name: string, text: string) {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    missing: join(path, "missing"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

function problemsOf(env: Env, shape: z.ZodObject = schema): readonly string[] {
  try {
    readEnv(shape, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const good = { DATABASE_URL: "postgres://ann:hunter22@db/erp" };

test("blanks alone are as good as nothing, and never a 0", () => {
  expect(readEnv(schema, { ...good, API_PORT: " " }).API_PORT).toBe(8_080);
  expect(problemsOf({ DATABASE_URL: "\t" })).toEqual([
    expect.stringContaining("DATABASE_URL is missing"),
  ]);
});

test("variables are read, defaults filled in and others ignored", () => {
  expect(readEnv(schema, { ...good, API_PORT: "81", HOME: "/root" })).toEqual({
    DATABASE_URL: "postgres://ann:hunter22@db/erp",
    API_PORT: 81,
  });
});

test("an empty variable counts as unset", () => {
  expect(readEnv(schema, { ...good, API_PORT: "", API_PORT_FILE: "" }).API_PORT).toBe(8_080);
});

test("NAME_FILE names a file that holds the value, and its last line end is dropped", async () => {
  await using folder = await aFolder();
  const file = await folder.file("url", "postgres://ann:pass@db/erp\r\n");

  expect(readEnv(schema, { DATABASE_URL_FILE: file }).DATABASE_URL).toBe(
    "postgres://ann:pass@db/erp",
  );
});

test("a line break or space inside a file's value is kept", async () => {
  await using folder = await aFolder();
  const file = await folder.file("greeting", " one\ntwo \n");

  expect(readEnv(schema, { ...good, GREETING_FILE: file }).GREETING).toBe(" one\ntwo ");
});

test("NAME and NAME_FILE together are refused, with one problem", async () => {
  await using folder = await aFolder();
  const file = await folder.file("url", good.DATABASE_URL);

  expect(problemsOf({ ...good, DATABASE_URL_FILE: file })).toEqual([
    "DATABASE_URL and DATABASE_URL_FILE are both set: keep one of them",
  ]);
});

test("an unreadable or empty file is named with its remedy", async () => {
  await using folder = await aFolder();
  const empty = await folder.file("empty", "\n");

  expect(problemsOf({ DATABASE_URL_FILE: folder.missing, GREETING_FILE: empty })).toEqual([
    `DATABASE_URL_FILE cannot be read (ENOENT): let this process read ${folder.missing}`,
    `GREETING_FILE names an empty file: write the value into ${empty}`,
  ]);
});

test("every bad variable is reported at once, with what it should be", () => {
  expect(problemsOf({ API_PORT: "99999" }).toSorted()).toEqual([
    expect.stringMatching(/^API_PORT is wrong: .*65535 \(a port, 1 to 65535\)$/),
    "DATABASE_URL is missing: set it, or DATABASE_URL_FILE to a file that holds it (postgres://user:password@host/name)",
  ]);
});

test("a value never appears in the report, not even when a schema quotes it", () => {
  const quoting = z.object({
    TOKEN: z.string().refine(() => false, { error: (issue) => `bad token ${issue.input}` }),
    DATABASE_URL: schema.shape.DATABASE_URL,
  });

  const report = problemsOf({ TOKEN: "hunter22", DATABASE_URL: "mysql://u:hunter33@h" }, quoting);

  expect(report).toHaveLength(2);
  expect(report.join()).not.toMatch(/hunter/);
});

test("a rule about several variables is reported too", () => {
  const both = schema.refine(() => false, { path: ["GREETING"], error: "needs a friend" });

  expect(problemsOf({ ...good, GREETING: "hi" }, both as typeof schema)).toEqual([
    "GREETING is wrong: needs a friend",
  ]);
});

test("a service has a log level and a private ops port without being told", () => {
  expect(serviceConfig(readEnv(z.object(serviceEnv), {}))).toEqual({
    ops: { host: "127.0.0.1", port: 0 },
    log: { level: "info" },
  });
});
