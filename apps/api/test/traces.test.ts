import { openTracing } from "@ballast/service";
import { startTraceCollector } from "@ballast/testing";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SERVER = 2;

/** An API that traces, between a caller and a collector. */
async function traced() {
  await using opened = new AsyncDisposableStack();
  const collector = opened.use(await startTraceCollector());
  const tracing = opened.use(
    openTracing(
      { endpoint: collector.url, headers: {}, resource: {}, share: 1 },
      { service: "api", version: "1", log: { info() {}, warn() {} }, counted() {} },
    ),
  );
  const api = opened.use(await setup({ tracer: tracing.tracer }));
  const kept = opened.move();
  return {
    ...api,
    /** The spans of what was asked so far, in order. */
    async spans() {
      await tracing.flush(5_000);
      return collector.spans();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const stored = async (t: Pick<Awaited<ReturnType<typeof setup>>, "database">) =>
  await t.database.kysely.selectFrom("jobRequests").select("traceparent").executeTakeFirstOrThrow();

test("a request is a span of its caller's trace, and what it asks for is told to go on from there", async () => {
  await using t = await traced();
  const { invoiceId } = await t.issued();
  const headers = { traceparent: CALLER };
  await t.api.call("POST", `/v1/invoices/${invoiceId}/pdf`, { headers });

  const span = (await t.spans()).find(({ name }) => name === "POST /v1/invoices/{invoiceId}/pdf");
  expect(span).toMatchObject({
    kind: SERVER,
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    parentSpanId: "00f067aa0ba902b7",
    failure: undefined,
    attributes: {
      "http.request.method": "POST",
      "http.route": "/v1/invoices/{invoiceId}/pdf",
      "http.response.status_code": 202,
    },
  });
  expect(await stored(t)).toEqual({ traceparent: `00-${span?.traceId}-${span?.spanId}-01` });
});

test("a refusal is the caller's failure and not one of ours; no address of a path is told", async () => {
  await using t = await traced();
  await t.api.get("/v1/no-such/anna@example.org?key=secret").expect(404);

  const [span] = (await t.spans()).slice(-1);
  expect(span).toMatchObject({ name: "GET (none)", failure: undefined });
  expect(JSON.stringify(span?.attributes)).not.toMatch(/anna|secret/);
});

test("an API that traces nothing hands its caller's trace on as it came", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const headers = { traceparent: CALLER };
  await t.api.call("POST", `/v1/invoices/${invoiceId}/pdf`, { headers });

  expect(await stored(t)).toEqual({ traceparent: CALLER });
});
