import { expect, test } from "vitest";
import { z } from "zod";
import { defineJob, defineQueue, email, pdf, recoveryBoundMs } from "../src/index.ts";

const queue = defineQueue("things");
const spec = {
  queue,
  name: "do-thing",
  version: 1,
  payload: z.object({}),
  result: z.null(),
} as const;

test("a job left to its defaults makes 5 attempts and gives up after a day", () => {
  expect(defineJob(spec)).toMatchObject({
    attempts: 5,
    backoff: { type: "exponential", delayMs: 2_000, jitter: 0 },
    giveUpAfterMs: 86_400_000,
    oldestVersion: 1,
  });
});

test.each([
  ["version", { version: 0 }],
  ["oldestVersion", { oldestVersion: 2 }],
  ["attempts", { attempts: 1.5 }],
  ["priority", { priority: -1 }],
  ["backoff.jitter", { backoff: { jitter: 0.6 } }],
])("a %s that cannot work is refused by name", (field, change) => {
  expect(() => defineJob({ ...spec, ...change })).toThrow(field);
});

test("a queue's name is kebab-case", () => {
  expect(() => defineQueue("Not:This")).toThrow("kebab-case");
});

test("a killed pdf worker's job runs again within 12 s, a mail worker's within 30 s", () => {
  expect(recoveryBoundMs(pdf)).toBe(12_000);
  expect(recoveryBoundMs(email)).toBe(30_000);
});
