import { PermanentError } from "@ballast/jobs";
import { startHttpRecorder } from "@ballast/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { filledBody, filledPath, isPathSegment } from "../../src/adapters/generic-template.ts";
import { openAdapter } from "../../src/adapters/open-adapter.ts";
import { openRemoteHttp } from "../../src/http/remote-http.ts";
import { keptLog } from "../kept-log.ts";
import { emptyStock, openGuard, setup } from "./setup.ts";

const kind = "generic-rest";
const { signal } = new AbortController();
const item = (sku: string, quantity: number) => ({ sku, externalId: `ext-${sku}`, quantity });

async function against(settings: object, answer: object | string, status = 200) {
  const server = await startHttpRecorder({ kind: "answer", status, body: answer });
  const http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const { guard, throttles } = openGuard();
  const adapter = openAdapter({
    kind,
    settings: { baseUrl: `${server.url}/v2/`, ...settings },
    credentials: { token: "t$&k3n-of-ours" },
    guard,
    http,
  });
  return {
    server,
    adapter,
    throttles,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("an API for single items is spoken by its path, its header and its status alone", async () => {
  const settings = {
    auth: { header: "X-Api-Key", value: "{token}" },
    push: {
      method: "PUT",
      path: "/offers/{externalId}/stock",
      maxBatch: 1,
      body: { amount: "{quantity}", note: "sku {sku}" },
    },
  };
  await using t = await against(settings, "");
  expect(t.adapter.maxBatch).toBe(1);
  expect(await t.adapter.push([item("A/1", 3)], signal)).toMatchObject([{ outcome: "confirmed" }]);
  expect(t.server.requests[0]).toMatchObject({
    method: "PUT",
    path: "/v2/offers/ext-A%2F1/stock",
    headers: { "x-api-key": "t$&k3n-of-ours" },
    json: { amount: 3, note: "sku A/1" },
  });
});

test("results without ids are matched by their place", async () => {
  const settings = {
    push: {
      path: "/stock",
      body: { $each: { id: "{externalId}", qty: "{quantity}" } },
      results: { items: "", error: "/fault", code: "/fault/no", message: "/fault/text" },
      rejectedCodes: ["17"],
    },
  };
  await using t = await against(settings, [
    {},
    { fault: { no: 17, text: "ended" } },
    { fault: { no: 99, text: "busy" } },
  ]);
  const outcomes = await t.adapter.push(
    [item("A", 1), item("B", 2), item("C", 3), item("D", 4)],
    signal,
  );
  expect(t.server.requests[0]?.json).toEqual([
    { id: "ext-A", qty: 1 },
    { id: "ext-B", qty: 2 },
    { id: "ext-C", qty: 3 },
    { id: "ext-D", qty: 4 },
  ]);
  expect(outcomes).toMatchObject([
    { sku: "A", outcome: "confirmed" },
    { sku: "B", outcome: "rejected", code: "17", message: "ended" },
    { sku: "C", outcome: "failed", code: "99" },
    { sku: "D", outcome: "failed", code: "no_result" },
  ]);
});

test("a 422 that means throttled is one, and waits as long as Retry-After asks", async () => {
  await using t = await setup({
    kind,
    stock: emptyStock(1),
    quota: { burst: 1, perSecond: 0.001 },
    throttleStatus: 422,
  });
  await t.push(t.item("SKU0", 1));
  const error = await t.push(t.item("SKU0", 2)).catch((thrown) => thrown);
  expect(error.code).toBe("rate_limited");
  expect(error.retryAfterMs).toBeGreaterThan(900_000);
});

test("one item for which the API refuses the whole batch is found and rejected", async () => {
  await using server = await startHttpRecorder((request) => {
    const { items } = request.json as { items: { sku: string }[] };
    const isBad = items.some(({ sku }) => sku === "ext-BAD");
    return { kind: "answer", status: isBad ? 422 : 200, body: isBad ? { error: "BAD" } : {} };
  });
  await using http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const adapter = openAdapter({
    kind,
    settings: {
      baseUrl: server.url,
      push: { path: "/stock", body: { items: { $each: { sku: "{externalId}" } } } },
    },
    credentials: { token: "x" },
    guard: openGuard().guard,
    http,
  });
  const outcomes = await adapter.push([item("A", 1), item("BAD", 1), item("C", 1)], signal);
  expect(outcomes).toMatchObject([
    { sku: "A", outcome: "confirmed" },
    { sku: "BAD", outcome: "rejected", code: "request_refused" },
    { sku: "C", outcome: "confirmed" },
  ]);
});

test("a quota that no header tells is taken from the settings", async () => {
  const settings = {
    push: { path: "/stock", body: {} },
    throttle: { capacity: 4, perSecond: 2 },
  };
  await using t = await against(settings, {});
  await t.adapter.push([item("A", 1)], signal);
  expect(t.throttles).toEqual([{ isThrottled: false, capacity: 4, restorePerSecond: 2 }]);
});

test("an account that is not set up says which fields are wrong, and none of their values", () => {
  const open = () =>
    openAdapter({
      kind,
      settings: { baseUrl: "ftp://host", push: {} },
      credentials: { token: "" },
      guard: openGuard().guard,
      http: openRemoteHttp({ log: keptLog() }),
    });
  expect(open).toThrow(PermanentError);
  expect(open).toThrow(/settings\.baseUrl.*settings\.push\.path.*credentials\.token/);
});

test("a remote that repeats our token in its words does not bring it into ours", async () => {
  const settings = { push: { path: "/stock", body: {} } };
  const answer = { error: "who is t$&k3n-of-ours?" };
  await using t = await against(settings, answer, 403);
  const error = await t.adapter.push([item("A", 1)], signal).catch((thrown) => thrown);
  expect(error.code).toBe("auth_failed");
  expect(error.message).toContain("who is [redacted]?");
});

test("no value adds a segment, a query or a fragment to a path", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (externalId) => {
      fc.pre(externalId.isWellFormed());
      const path = filledPath("/offers/{externalId}/stock", { sku: "S", externalId, quantity: 1 });
      const { pathname, search, hash } = new URL(path, "http://host");
      expect([search, hash]).toEqual(["", ""]);
      expect(pathname.split("/").length === 4).toBe(isPathSegment(externalId) || externalId === "");
    }),
  );
});

test("an id that would climb out of its path is rejected without asking", async () => {
  const settings = { push: { path: "/offers/{externalId}", maxBatch: 1, body: {} } };
  await using t = await against(settings, {});
  const outcomes = await t.adapter.push([{ sku: "A", externalId: "..", quantity: 1 }], signal);
  expect(outcomes).toMatchObject([{ outcome: "rejected", code: "invalid_external_id" }]);
  expect(t.server.requests).toEqual([]);
});

test("values stay values: a placeholder in one is not filled in again", () => {
  const sneaky = { sku: "{quantity}", externalId: "{sku}", quantity: 7 };
  expect(filledBody({ a: "{sku}", b: "{externalId}", c: "{quantity}" }, [sneaky])).toEqual({
    a: "{quantity}",
    b: "{sku}",
    c: 7,
  });
});
