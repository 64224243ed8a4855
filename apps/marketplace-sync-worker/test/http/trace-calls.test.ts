import { openTracing } from "@ballast/service";
import { startHttpRecorder, startTraceCollector } from "@ballast/testing";
import { expect, test } from "vitest";
import { openRemoteHttp } from "../../src/http/remote-http.ts";
import { traceCalls } from "../../src/http/trace-calls.ts";
import { keptLog } from "../kept-log.ts";

test("a call to a marketplace is a span of the attempt that makes it, without its path or its query", async () => {
  await using collector = await startTraceCollector();
  await using tracing = openTracing(
    { endpoint: collector.url, headers: {}, resource: {}, share: 1 },
    { service: "marketplace-sync-worker", version: "1", log: keptLog(), counted() {} },
  );
  await using shop = await startHttpRecorder({ kind: "answer", status: 429, body: {} });
  await using http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const { tracer } = tracing;
  await tracer.within({ name: "process push-stock", kind: "consumer" }, () =>
    traceCalls(http, tracer).request(
      { method: "POST", url: `${shop.url}/stock?consumer_secret=s3cr3t` },
      new AbortController().signal,
    ),
  );
  await tracing.flush(5_000);

  const [call, attempt] = collector.spans();
  expect(call).toMatchObject({
    name: "POST",
    traceId: attempt?.traceId,
    parentSpanId: attempt?.spanId,
    failure: "429",
    attributes: { "http.response.status_code": 429, "server.address": new URL(shop.url).host },
  });
  expect(JSON.stringify(call?.attributes)).not.toMatch(/stock|s3cr3t/);
  expect(shop.requests[0]?.headers).not.toHaveProperty("traceparent");
});
