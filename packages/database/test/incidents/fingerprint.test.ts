import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf, normalizeMessage, topFrames } from "../../src/incidents/fingerprint.ts";

test.each([
  ["no invoice 0190c1a2-7d6e-7c3a-9c8e-0000000000a1", "no invoice <uuid>"],
  ["waited 1500 ms, then 2.5 s", "waited <n> ms, then <n> s"],
  ["expected 12,50 but had -3", "expected <n> but had <n>"],
  [`field "Müller & Co" is not 'EUR'`, "field <value> is not <value>"],
  ["it can't be that it isn't", "it can't be that it isn't"],
  [
    "refused by smtp.example.org: 550 max@example.org unknown",
    "refused by smtp.example.org: <n> <mail> unknown",
  ],
  ["GET https://shop.example/api?page=7 answered 503", "GET <url> answered <n>"],
  ["connect ECONNREFUSED 10.0.3.17:5432", "connect ECONNREFUSED <address>"],
  ["connect ECONNREFUSED [::1]:5432", "connect ECONNREFUSED <address>"],
  ["deadline was 2026-11-24T09:30:00.000Z", "deadline was <date>"],
  ["due 2026-11-24, object 9f86d081884c7d65", "due <date>, object <hex>"],
  ["utf8 of r2d2 is\n  broken", "utf8 of r2d2 is broken"],
])("%j becomes %j", (message, normal) => {
  expect(normalizeMessage(message)).toBe(normal);
});

const detail = fc.oneof(
  fc.uuid().map((v) => ({ kind: "uuid", text: v as string })),
  fc.integer().map((v) => ({ kind: "number", text: String(v) })),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((v) => ({
    kind: "number",
    text: v.toFixed(2),
  })),
  fc.stringMatching(/^[a-z0-9 ,.@-]{0,30}$/).map((v) => ({ kind: "quoted", text: `"${v}"` })),
  fc.emailAddress().map((v) => ({ kind: "mail", text: v.replace(/['`"]/g, "x") })),
  fc.webUrl().map((v) => ({ kind: "url", text: v.replace(/['`"()<>\]]/g, "x") })),
  fc.ipV4().map((v) => ({ kind: "address", text: v as string })),
  fc
    .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
    .map((v) => ({ kind: "date", text: v.toISOString() })),
);

test("deaths whose messages differ by ids, numbers, names and addresses alone have one fingerprint", () => {
  fc.assert(
    fc.property(detail, detail, (one, other) => {
      fc.pre(one.kind === other.kind);
      const death = (text: string) => ({
        code: "refused",
        message: `the shop refused ${text} of the order`,
        stack: null,
      });
      expect(fingerprintOf(death(one.text))).toEqual(fingerprintOf(death(other.text)));
    }),
    { numRuns: 2_000 },
  );
});

test("any text normalises in time, to one short line, and the same way each time", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 5_000 }), (text) => {
      const normal = normalizeMessage(text);
      expect(normal.length).toBeLessThanOrEqual(300);
      expect(normal).not.toContain("\n");
      expect(normalizeMessage(text)).toBe(normal);
    }),
  );
  const began = performance.now();
  for (const hostile of [
    "a@".repeat(50_000),
    "'".repeat(100_000),
    "1.".repeat(50_000),
    "x://".repeat(50_000),
  ])
    normalizeMessage(hostile);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("another code, another message or another place in the code is another cause", () => {
  const death = {
    code: "refused",
    message: "the shop refused it",
    stack: "Error\n    at a (/srv/apps/x/src/a.ts:1:2)",
  };
  const prints = [
    death,
    { ...death, code: "gone" },
    { ...death, message: "the shop is closed" },
    { ...death, stack: "Error\n    at b (/srv/apps/x/src/b.ts:1:2)" },
    { ...death, stack: null },
  ].map((one) => fingerprintOf(one).fingerprint);
  expect(new Set(prints).size).toBe(prints.length);
});

test("frames are the app's own, without lines, columns and where the checkout is", () => {
  const stack = `TypeError: x is not a function
    at renderInvoice (/home/me/ballast/apps/pdf-worker/src/handlers/render-invoice.ts:41:13)
    at Object.parse (/home/me/ballast/node_modules/.pnpm/zod@4/node_modules/zod/index.js:1:2)
    at async execute (file:///srv/app/packages/jobs/dist/execute.js:7:1)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at /srv/app/apps/pdf-worker/src/main.ts:3:3
    at deeper (/srv/app/apps/pdf-worker/src/deeper.ts:3:3)`;
  expect(topFrames(stack)).toEqual([
    "renderInvoice apps/pdf-worker/src/handlers/render-invoice",
    "execute packages/jobs/src/execute",
    "- apps/pdf-worker/src/main",
  ]);
  const moved = stack.replace(/:\d+:\d+/g, ":999:1").replaceAll("/home/me/ballast", "/opt/other");
  expect(topFrames(moved)).toEqual(topFrames(stack));
});
