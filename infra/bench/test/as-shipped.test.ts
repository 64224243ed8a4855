import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import { CONTAINERS, IMAGE_ENV } from "../src/as-shipped.ts";

const textOf = (path: string) => readFileSync(join(root, path), "utf8");

test.each(Object.entries(CONTAINERS))(
  "memory of %s is measured in %s, which Compose gives it",
  (app, limit) => {
    const [, service = ""] = textOf("infra/compose/compose.yaml").split(`\n  ${app}:\n`);
    expect(/\bmem_limit: (\w+)/.exec(service)?.[1]).toBe(limit);
  },
);

test("memory is measured with what the images set", () => {
  const [, runtime = ""] = textOf("infra/docker/Dockerfile").split(" AS runtime\n");
  for (const [name, value] of Object.entries(IMAGE_ENV))
    expect(runtime.split("\nFROM ")[0]).toMatch(new RegExp(`^ENV .*\\b${name}=${value}\\b`, "m"));
});
