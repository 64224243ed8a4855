import { execFile } from "node:child_process";
import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openEmptyDatabase } from "@ballast/testing";
import { expect, test } from "vitest";
import { openEngine } from "../../src/index.ts";
import { untilFit } from "../../src/unfit.ts";
import { quiet, quietTelemetry } from "./setup.ts";

const program = join(import.meta.dirname, "../../src/prepare-engine.ts");
const prepare = (own: Record<string, string>) =>
  promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, QUEUE_URL: "", ...own },
  });

test("a database without the engine's tables is refused with the remedy, and taken once that was done", async () => {
  await using database = await openEmptyDatabase();
  await using engine = openEngine(database.url, { log: quiet });
  await expect(untilFit(engine, quietTelemetry())).rejects.toThrow("run `migrate` with it");

  using folder = mkdtempDisposableSync(join(tmpdir(), "ballast-prepare-"));
  const file = join(folder.path, "url");
  writeFileSync(file, `${database.url}\n`);
  expect((await prepare({ QUEUE_URL_FILE: file })).stdout).toContain("up to date");
  expect(await untilFit(engine, quietTelemetry())).toBe(true);
});

test.each([
  ["Redis", "redis://127.0.0.1:1"],
  ["no engine", ""],
])("%s has nothing to prepare, and nobody is called", async (_, QUEUE_URL) => {
  expect(await prepare({ QUEUE_URL })).toEqual({ stdout: "", stderr: "" });
});
