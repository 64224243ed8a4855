import { postgresEngine, startTraceCollector } from "@ballast/testing";
import { expect, test } from "vitest";
import { openSmallStack } from "./small-stack.ts";

test("one trace goes from the request over outbox and queues to the browser and the mail server, and log lines name it", async () => {
  await using collector = await startTraceCollector();
  await using t = await openSmallStack(postgresEngine, undefined, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  const invoice = await t.invoice(1);
  await Promise.all([t.start("pdf-worker"), t.start("email-worker")]);

  const sent = await t.ask(`/v1/invoices/${invoice.id}/send`);
  await t.reach(sent, ["completed"]);

  const request = "POST /v1/invoices/{invoiceId}/send";
  const names = [
    request,
    "send pdf",
    "process render-invoice",
    "print",
    "send email",
    "process send-invoice",
    "call smtp",
  ];
  const spans = await collector.waitFor(names);
  const root = spans.find(({ name }) => name === request);
  const trace = spans.filter(({ traceId }) => traceId === root?.traceId);
  const nameOf = (spanId: string | undefined) => trace.find((span) => span.spanId === spanId)?.name;
  const told = trace.map(({ service, name, parentSpanId }) => [
    service,
    name,
    nameOf(parentSpanId),
  ]);
  expect(told.toSorted()).toEqual(
    [
      ["api", request, undefined],
      ["api", "send pdf", request],
      ["pdf-worker", "process render-invoice", request],
      ["pdf-worker", "print", "process render-invoice"],
      ["api", "send email", request],
      ["email-worker", "process send-invoice", request],
      ["email-worker", "call smtp", "process send-invoice"],
    ].toSorted(),
  );
  expect(trace.every(({ startNs, endNs, failure }) => startNs <= endNs && !failure)).toBe(true);

  const line = (app: string, message: string) =>
    t
      .log(app)
      .split("\n")
      .find((text) => text.includes(`"msg":"${message}"`)) ?? "{}";
  const { traceId = "no trace" } = root ?? {};
  expect(JSON.parse(line("api", "request answered"))).toMatchObject({ traceId });
  const mailed = JSON.parse(line("email-worker", "invoice mailed"));
  expect(mailed).toMatchObject({ traceId, runId: expect.any(String) });
  const attempt = trace.find(({ name }) => name === "process send-invoice");
  expect(attempt?.attributes).toMatchObject({
    "messaging.message.id": mailed.runId,
    "ballast.request_id": sent.split("/").at(-1),
    "ballast.outcome": "completed",
    "ballast.attempt": 1,
  });
});
