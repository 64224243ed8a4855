import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { z } from "zod";
import { EnvSchema as api } from "../../../apps/api/src/config.ts";
import { EnvSchema as emailWorker } from "../../../apps/email-worker/src/config.ts";
import { EnvSchema as pdfWorker } from "../../../apps/pdf-worker/src/config.ts";
import { root } from "../src/checkout.ts";

const example = [
  ...readFileSync(join(root, ".env.example"), "utf8").matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm),
].map(([, off, name = "", value = ""]) => ({ name, value, isSet: off === undefined }));

const schemas: Record<string, z.ZodObject> = { api, emailWorker, pdfWorker };

test(".env.example names every variable that a service reads, once, and no other", () => {
  const read = new Set(Object.values(schemas).flatMap((schema) => Object.keys(schema.shape)));
  expect(example.map(({ name }) => name).sort()).toEqual([...read].sort());
});

test.each(Object.keys(schemas))(
  "%s can run with .env.example, whose defaults are the real ones",
  (app) => {
    const shape = schemas[app]?.shape ?? {};
    for (const { name, value, isSet } of example) {
      const field = shape[name] as z.ZodType | undefined;
      if (field === undefined || !isSet) continue;
      const parsed = field.safeParse(value);
      expect(parsed.success, name).toBe(true);
      const fallback = field.safeParse(undefined);
      if (fallback.success) expect(parsed.data, name).toEqual(fallback.data);
    }
  },
);
