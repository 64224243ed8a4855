import { expect, test } from "vitest";
import { createTracer, type EndedSpan } from "../../src/tracing/tracer.ts";

function setup(share = 1) {
  const ended: EndedSpan[] = [];
  const tracer = createTracer({ share, ended: (span) => void ended.push(span) });
  return { tracer, ended };
}

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSEEN = CALLER.replace(/01$/, "00");

test("what is begun within a span is its child, whatever was awaited between", async () => {
  const { tracer, ended } = setup();
  await tracer.within({ name: "attempt", kind: "consumer", parent: CALLER }, async () => {
    await new Promise(setImmediate);
    await tracer.within({ name: "call", kind: "client" }, async () => {});
  });

  const [call, attempt] = ended;
  expect(attempt).toMatchObject({
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    parentSpanId: "00f067aa0ba902b7",
  });
  expect(call).toMatchObject({ traceId: attempt?.traceId, parentSpanId: attempt?.spanId });
  expect(call?.startMs).toBeGreaterThanOrEqual(attempt?.startMs ?? Number.NaN);
  expect(call?.endMs).toBeLessThanOrEqual(attempt?.endMs ?? Number.NaN);
  expect(tracer.current).toBeUndefined();
});

test("what is thrown marks its span, by its code or else its class", async () => {
  const { tracer, ended } = setup();
  const failing = (error: unknown) =>
    tracer.within({ name: "call", kind: "client" }, () => Promise.reject(error));
  const coded = Object.assign(new Error("to anna@example.org"), { code: "smtp_refused" });
  await expect(failing(coded)).rejects.toBe(coded);
  await expect(failing(new RangeError("secret"))).rejects.toThrow("secret");

  expect(ended.map(({ failure }) => failure)).toEqual(["smtp_refused", "RangeError"]);
});

test("a trace that its caller does not record is not recorded here, and goes on as it came", () => {
  const { tracer, ended } = setup();
  const span = tracer.begin({ name: "attempt", kind: "consumer", parent: UNSEEN });
  span.end();

  expect(ended).toEqual([]);
  expect(span.traceparent).toBe(UNSEEN);
});

test.each([null, "no traceparent", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`])(
  "a parent that is none, %s, begins a trace",
  (parent) => {
    const { tracer, ended } = setup();
    const span = tracer.begin({ name: "attempt", kind: "consumer", parent });
    span.end();
    span.end();

    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({
      traceId: expect.stringMatching(/^(?!0{32})[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^(?!0{16})[0-9a-f]{16}$/),
      parentSpanId: undefined,
    });
  },
);

test("of the traces that begin here only the asked share is recorded, and children follow their parent", () => {
  const { tracer, ended } = setup(0);
  const { traceparent } = tracer.begin({ name: "request", kind: "server", parent: null });
  tracer.begin({ name: "attempt", kind: "consumer", parent: traceparent }).end();

  expect(ended).toEqual([]);
  expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});
