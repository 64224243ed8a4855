import { expect, test } from "vitest";
import { openTelemetry } from "../src/index.ts";

function setup() {
  const stop = new AbortController();
  const { telemetry } = openTelemetry({
    service: "test",
    level: "silent",
    stopping: stop.signal,
  });
  return { ...telemetry, text: () => telemetry.registry.metrics() };
}

const end = { queue: "pdf", job: "render-invoice", durationSeconds: 0.3, waitSeconds: 2 };

test("an attempt is counted by outcome, its error by code, its times in histograms", async () => {
  const { jobs, text } = setup();
  jobs.attemptEnded({ ...end, outcome: "completed" });
  jobs.attemptEnded({ ...end, outcome: "completed" });
  jobs.attemptEnded({ ...end, outcome: "dead", code: "invoice_not_found" });

  const labels = 'queue="pdf",job="render-invoice"';
  const metrics = await text();
  expect(metrics).toContain(`ballast_attempts_total{${labels},outcome="completed"} 2`);
  expect(metrics).toContain(`ballast_attempts_total{${labels},outcome="dead"} 1`);
  expect(metrics).toContain(`ballast_errors_total{${labels},code="invoice_not_found"} 1`);
  expect(metrics).toContain(`ballast_attempt_duration_seconds_sum{${labels}} 0.89`);
  expect(metrics).toContain(`ballast_wait_duration_seconds_sum{${labels}} 6`);
});

test("stalls and dispatched runs are counted by queue, bulk ones apart, the outbox's lag by batch", async () => {
  const { jobs, text } = setup();
  jobs.stalled("pdf");
  jobs.dispatched("pdf", 3, 0.5, 2);
  jobs.dispatched("email", 1, 0.25, 0);

  const metrics = await text();
  expect(metrics).toContain('ballast_stalls_total{queue="pdf"} 1');
  expect(metrics).toContain('ballast_dispatched_total{queue="pdf",bulk="false"} 1');
  expect(metrics).toContain('ballast_dispatched_total{queue="pdf",bulk="true"} 2');
  // So that the first to come is an increase.
  expect(metrics).toContain('ballast_dispatched_total{queue="email",bulk="true"} 0');
  expect(metrics).toContain("ballast_outbox_lag_seconds_count 2");
  expect(metrics).toContain("ballast_outbox_lag_seconds_sum 0.75");
});

test("error codes cannot grow a job's series without bound", async () => {
  const { jobs, registry } = setup();
  for (let i = 0; i < 500; i += 1) jobs.attemptEnded({ ...end, outcome: "retry", code: `e${i}` });

  const errors = await registry.getSingleMetric("ballast_errors_total")?.get();
  expect(errors?.values).toHaveLength(101);
  expect(errors?.values.at(-1)).toMatchObject({ labels: { code: "other" }, value: 400 });
});

test("every metric of ours has a help text, a fitting unit and few labels", async () => {
  const { registry } = setup();
  const ours = (await registry.getMetricsAsJSON()).filter(({ name }) =>
    name.startsWith("ballast_"),
  );

  expect(ours.map(({ name }) => name).toSorted()).toEqual([
    "ballast_alerts_total",
    "ballast_attempt_duration_seconds",
    "ballast_attempts_total",
    "ballast_canary_age_seconds",
    "ballast_dead_letters",
    "ballast_dispatched_total",
    "ballast_engine_memory_share",
    "ballast_engine_unfit",
    "ballast_errors_total",
    "ballast_gate_closed",
    "ballast_gate_refused",
    "ballast_http_request_duration_seconds",
    "ballast_http_requests_total",
    "ballast_incidents",
    "ballast_mails_total",
    "ballast_marketplace_calls_total",
    "ballast_oldest_waiting_age_seconds",
    "ballast_outbox_bulk_oldest_pending_age_seconds",
    "ballast_outbox_bulk_pending",
    "ballast_outbox_lag_seconds",
    "ballast_outbox_oldest_pending_age_seconds",
    "ballast_outbox_pending",
    "ballast_overdue_delayed_age_seconds",
    "ballast_pdf_browser_restarts_total",
    "ballast_pdf_pages_open",
    "ballast_pdf_refused_requests_total",
    "ballast_pdf_rendered_pages_total",
    "ballast_queue_paused",
    "ballast_quota_left",
    "ballast_ready",
    "ballast_reminder_overdue_age_seconds",
    "ballast_schedule_overdue_age_seconds",
    "ballast_smtp_connections",
    "ballast_stalls_total",
    "ballast_stock_drift_total",
    "ballast_stock_items_total",
    "ballast_trace_spans_total",
    "ballast_wait_duration_seconds",
  ]);
  for (const { name, help, type } of ours) {
    expect(help, name).toMatch(/^[A-Z].{20,}\.$/);
    expect(name.endsWith("_total"), name).toBe(String(type) === "counter");
    // An age is a gauge; any other time is a histogram.
    const isTime = String(type) === "histogram" || name.endsWith("_age_seconds");
    expect(name.endsWith("_seconds"), name).toBe(isTime);
  }
});

test("a gauge that this process never measured is absent, and present once measured", async () => {
  const { metrics, registry, text } = setup();
  const gauges = (await registry.getMetricsAsJSON()).filter(
    ({ name, type }) => /^(ballast|bullmq)_/.test(name) && String(type) === "gauge",
  );
  expect(gauges.flatMap(({ values }) => values)).toEqual([]);
  metrics.pdfPagesOpen.set(2);
  expect(await text()).toMatch(/^ballast_pdf_pages_open 2$/m);
});

test("Node's own metrics are there, with the lag of the event loop", async () => {
  const { text } = setup();
  expect(await text()).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
});
