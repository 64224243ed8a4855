import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { z } from "zod";
import { root } from "../src/checkout.ts";

const example = [
  ...readFileSync(join(root, ".env.example"), "utf8").matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm),
].map(([, off, name = "", value = ""]) => ({ name, value, isSet: off === undefined }));

/** What each app reads: its own declaration, wherever the list of apps goes. */
const schemas = new Map(
  await Promise.all(
    readdirSync(join(root, "apps")).map(async (app) => {
      const config = pathToFileURL(join(root, "apps", app, "src/config.ts")).href;
      const { EnvSchema } = (await import(config)) as { EnvSchema: z.ZodObject };
      return [app, EnvSchema.shape] as const;
    }),
  ),
);

test(".env.example names every variable that a service reads, once, and no other", () => {
  const read = new Set([...schemas.values()].flatMap((shape) => Object.keys(shape)));
  expect(example.map(({ name }) => name).sort()).toEqual([...read].sort());
});

test.each([...schemas.keys()])(
  "%s can run with .env.example, whose defaults are the real ones",
  (app) => {
    const shape = schemas.get(app) ?? {};
    for (const { name, value, isSet } of example) {
      const field = shape[name] as z.ZodType | undefined;
      if (field === undefined || !isSet) continue;
      const parsed = field.safeParse(value);
      expect(parsed.success, name).toBe(true);
      const fallback = field.safeParse(undefined);
      // What one service needs, another may do without.
      if (fallback.success && fallback.data !== undefined)
        expect(parsed.data, name).toEqual(fallback.data);
    }
  },
);

/** What every service reads is told once, by the package that reads it; the rest under "Settings" of each app. */
const namesIn = (text = "") => text.match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\b/g) ?? [];
const ofEveryService = readFileSync(join(root, "packages/service/README.md"), "utf8")
  .match(/^\| `[A-Z0-9_]+`/gm)
  ?.flatMap(namesIn);

test.each([...schemas.keys()])("the README of %s names every variable that it reads", (app) => {
  const readme = readFileSync(join(root, "apps", app, "README.md"), "utf8");
  const settings = /^## Settings$.*?(?=^## )/ms.exec(readme)?.[0];
  const named = new Set([...namesIn(settings), ...(ofEveryService ?? [])]);
  expect(Object.keys(schemas.get(app) ?? {}).filter((name) => !named.has(name))).toEqual([]);
});
