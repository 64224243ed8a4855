import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobs, schemaText } from "../scripts/schemas.ts";

const root = join(import.meta.dirname, "..");
const fixtures = [...jobs].flatMap(([name, job]) => {
  const folder = join(root, "fixtures", name.replace(/\.v\d+$/, ""));
  return readdirSync(folder)
    .filter((file) => file.startsWith(`v${job.version}.`))
    .map((file) => ({ job, file, text: readFileSync(join(folder, file), "utf8") }));
});

test("every job has a payload that passes and one that fails", () => {
  for (const [name, job] of jobs) {
    const files = fixtures.filter((fixture) => fixture.job === job).map(({ file }) => file);
    expect(files, name).toContain(`v${job.version}.minimal.json`);
    expect(
      files.some((file) => file.includes(".invalid.")),
      name,
    ).toBe(true);
  }
});

test.each(fixtures)("$job.name takes or refuses $file as its name says", ({ job, file, text }) => {
  expect(job.payload.safeParse(JSON.parse(text)).success).toBe(!file.includes(".invalid."));
});

test("the committed JSON Schemas are the ones the contracts generate", () => {
  expect(readdirSync(join(root, "schemas")).sort()).toEqual(
    [...jobs.keys()].map((name) => `${name}.json`).sort(),
  );
  for (const [name, job] of jobs)
    expect(readFileSync(join(root, "schemas", `${name}.json`), "utf8"), name).toBe(schemaText(job));
});
