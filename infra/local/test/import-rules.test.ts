import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../src/checkout.ts";
import { brokenImports } from "../src/import-rules.ts";

const exportsOf = () => [".", "./package.json"];
const broken = (path: string, text: string) => brokenImports({ path, text }, exportsOf);

describe("an import that points the wrong way is refused", () => {
  test.each([
    ["packages/contracts/src/job.ts", `import pg from "pg";`, /zod alone/],
    ["packages/contracts/src/job.ts", `import { x } from "@ballast/jobs";`, /zod alone/],
    ["packages/jobs/src/worker.ts", `import { openDatabase } from "@ballast/database";`, /one way/],
    ["packages/database/src/x.ts", `export { x } from "@ballast/service";`, /one way/],
    ["packages/database/src/x.ts", `import { Queue } from "bullmq";`, /only the runtime/],
    ["packages/jobs/src/worker.ts", `import express from "express";`, /no HTTP/],
    ["packages/jobs/src/worker.ts", `await import("puppeteer");`, /no browser/],
    ["packages/jobs/src/worker.ts", `import nodemailer from "nodemailer";`, /no mail/],
    ["packages/jobs/src/worker.ts", `import { Queue } from "bullmq";`, /src\/engine alone/],
    ["packages/jobs/src/worker.ts", `import type { Redis } from "ioredis";`, /src\/engine alone/],
    ["packages/jobs/src/worker.ts", `import pg from "pg";`, /src\/engine alone/],
    ["apps/api/src/main.ts", `import { x } from "@ballast/pdf-worker";`, /apps meet in a queue/],
    [
      "apps/api/test/x.test.ts",
      `import { x } from "@ballast/email-worker";`,
      /nothing imports an app/,
    ],
    [
      "apps/api/src/main.ts",
      `import { x } from "../../pdf-worker/src/printer.ts";`,
      /stays within/,
    ],
    ["apps/api/src/main.ts", `import { Queue } from "bullmq";`, /only the runtime/],
    ["apps/api/src/main.ts", `import { until } from "@ballast/testing";`, /tests stay in tests/],
    [
      "packages/storage/src/x.ts",
      `import { until } from "@ballast/testing";`,
      /testing is for tests/,
    ],
    [
      "apps/api/src/main.ts",
      `import { x } from "@ballast/jobs/src/worker.ts";`,
      /none of the paths/,
    ],
    [
      "infra/local/src/start.ts",
      `import { x } from "../../../apps/api/src/app.ts";`,
      /stays within/,
    ],
    ["packages/jobs/test/x.test.ts", `import "../../database/src/schema.ts";`, /stays within/],
  ])("%s: %s", (path, text, why) => {
    expect(broken(path, text).join("\n")).toMatch(why);
  });
});

test.each(readdirSync(join(root, "apps")))("nothing imports %s, which is an app", (app) => {
  const text = `import { x } from "@ballast/${app}";`;
  expect(broken("packages/jobs/test/x.test.ts", text).join("\n")).toMatch(/nothing imports an app/);
});

describe("an import that is allowed passes", () => {
  test.each([
    ["packages/contracts/src/job.ts", `import { z } from "zod";\nimport { x } from "./queue.ts";`],
    [
      "packages/jobs/src/engine/redis.ts",
      `import { Queue } from "bullmq";\nimport R from "ioredis";`,
    ],
    ["packages/jobs/src/settle.ts", `import type { Job } from "bullmq";`],
    ["packages/jobs/test/x.test.ts", `import { openDatabase } from "@ballast/database";`],
    ["packages/database/src/x.ts", `import { z } from "@ballast/contracts";\nimport pg from "pg";`],
    [
      "apps/api/src/main.ts",
      `import { x } from "@ballast/database";\nimport { y } from "node:fs";`,
    ],
    ["apps/api/test/x.test.ts", `import { until } from "@ballast/testing";`],
    ["infra/local/src/start.ts", `import { x } from "@ballast/testing";`],
    ["infra/local/test/env.test.ts", `import { x } from "../../../apps/api/src/config.ts";`],
    [
      "packages/contracts/src/x.ts",
      `/** \`import pg from "pg"\` would be refused */\n// import pg from "pg"`,
    ],
  ])("%s: %s", (path, text) => {
    expect(broken(path, text)).toEqual([]);
  });
});

test("an import over several lines is found, with the line of its source", () => {
  const text = `import {\n  type A,\n  b,\n} from "bullmq";\n`;
  expect(broken("apps/api/src/x.ts", text)).toEqual([
    "apps/api/src/x.ts:4 imports bullmq: only the runtime talks to the queue engine; drills play another team",
  ]);
});
