import { expect, test } from "vitest";
import { z } from "zod";
import {
  defineJob,
  defineQueue,
  documentHold,
  email,
  parsePayload,
  pdf,
  recoveryBoundMs,
  renderInvoice,
} from "../src/index.ts";

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
  ["timeoutMs", { timeoutMs: 2 ** 31 }],
  ["backoff.delayMs", { backoff: { delayMs: 2 ** 40 } }],
  ["backoff.maxDelayMs", { backoff: { maxDelayMs: 0.5 } }],
  ["backoff.jitter", { backoff: { jitter: 0.6 } }],
])("a %s that cannot work is refused by name", (field, change) => {
  expect(() => defineJob({ ...spec, ...change })).toThrow(field);
});

test.each([
  ["lockDurationMs", { lockDurationMs: 0 }],
  ["maxStalledCount", { maxStalledCount: -1 }],
  ["handBackAfterMs", { handBackAfterMs: Number.NaN }],
  ["gracePeriodMs", { gracePeriodMs: 2 ** 31 }],
])("a queue's %s that cannot work is refused by name", (field, change) => {
  expect(() => defineQueue("things", change)).toThrow(field);
});

test("a job without grace on shutdown, and one that no crash may touch, are possible", () => {
  const none = { handBackAfterMs: 0, gracePeriodMs: 0, maxStalledCount: 0 };
  expect(defineQueue("things", none)).toMatchObject(none);
});

test("an invoice whose id is written in capitals is the same invoice", () => {
  const invoiceId = "01936f5e-7a3c-7c1e-9d55-3f0a2b6c8d10";
  const small = parsePayload(renderInvoice, { invoiceId, revision: 1, locale: "de-DE" });
  const capital = parsePayload(renderInvoice, {
    invoiceId: invoiceId.toUpperCase(),
    revision: 1,
    locale: "de-DE",
  });
  expect(capital).toEqual(small);
  expect(documentHold(capital)).toBe(`document:${invoiceId}:r1:de-DE`);
});

test("a queue's name is kebab-case", () => {
  expect(() => defineQueue("Not:This")).toThrow("kebab-case");
});

test("a killed pdf worker's job runs again within 12 s, a mail worker's within 30 s", () => {
  expect(recoveryBoundMs(pdf)).toBe(12_000);
  expect(recoveryBoundMs(email)).toBe(30_000);
});
