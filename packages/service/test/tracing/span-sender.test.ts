import { type HttpBehaviour, startHttpRecorder, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { openSpanSender } from "../../src/tracing/span-sender.ts";
import type { EndedSpan } from "../../src/tracing/tracer.ts";

const status = (code: number): HttpBehaviour => ({ kind: "answer", status: code, body: {} });

const aSpan: EndedSpan = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: undefined,
  name: "",
  kind: "internal",
  startMs: 1_764_000_000_000,
  endMs: 1_764_000_000_001,
  attributes: {},
  failure: undefined,
};

async function setup(behaviour: HttpBehaviour = status(200)) {
  const opened = new AsyncDisposableStack();
  const collector = opened.use(await startHttpRecorder(behaviour));
  const counts = { sent: 0, dropped: 0 };
  const said: string[] = [];
  const say = (_values: object, message: string) => void said.push(message);
  const sender = opened.use(
    openSpanSender({
      endpoint: `${collector.url}/`,
      headers: { authorization: "Bearer x" },
      resource: { "service.name": "api" },
      log: { info: say, warn: say },
      counted: (result, count) => {
        counts[result] += count;
      },
    }),
  );
  const add = (count: number) => {
    for (let at = 0; at < count; at += 1) sender.add({ ...aSpan, name: String(at) });
  };
  const namesOf = (json: unknown): string[] =>
    // biome-ignore lint/suspicious/noExplicitAny: what the wire brings has the type the test expects
    (json as any).resourceSpans[0].scopeSpans[0].spans.map(({ name }: { name: string }) => name);
  return {
    collector,
    sender,
    counts,
    said,
    add,
    names: () => collector.requests.flatMap(({ json }) => namesOf(json)),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

test("spans go out in batches, in order, with what the collector asks for", async () => {
  await using t = await setup();
  t.add(1_200);
  await t.sender[Symbol.asyncDispose]();

  expect(t.names()).toEqual(Array.from({ length: 1_200 }, (_, at) => String(at)));
  expect(t.collector.requests).toHaveLength(3);
  expect(t.collector.requests[0]).toMatchObject({
    method: "POST",
    path: "/v1/traces",
    headers: { authorization: "Bearer x", "content-type": "application/json" },
  });
  expect(t.counts).toEqual({ sent: 1_200, dropped: 0 });
});

test("what a collector that is away missed is sent once it is back, and said once", async () => {
  await using t = await setup(status(503));
  t.add(2);
  await t.sender.flush(1_000);
  t.collector.behave(status(200));
  await until(() => t.counts.sent === 2);

  expect(t.counts.dropped).toBe(0);
  expect(t.said).toEqual([
    expect.stringContaining("spans not delivered"),
    "spans are delivered again",
  ]);
});

test("what a collector refuses for good is dropped, and no later one", async () => {
  await using t = await setup(status(400));
  t.add(1);
  await t.sender.flush(1_000);
  t.collector.behave(status(200));
  t.add(1);
  await t.sender.flush(1_000);

  expect(t.counts).toEqual({ sent: 1, dropped: 1 });
});

test("what there is no room for is counted, also where a batch comes back", async () => {
  await using t = await setup(status(503));
  t.add(7_000);
  await until(() => t.counts.dropped === 2_000);
  expect(t.counts.sent).toBe(0);
});

test("a collector that never answers holds neither memory nor the end of the process", async () => {
  await using t = await setup({ kind: "hang" });
  t.add(7_000);
  const began = performance.now();
  await t.sender[Symbol.asyncDispose]();

  expect(performance.now() - began).toBeLessThan(4_000);
  expect(t.counts).toEqual({ sent: 0, dropped: 7_000 });
});
