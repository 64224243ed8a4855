import { BULK_PRIORITY, paymentReminder } from "@ballast/contracts";
import { prepareEngine } from "@ballast/jobs";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { startQueueCensus } from "../src/queue-census.ts";
import { setup } from "./setup.ts";

const MINUTE_MS = 60_000;

describeEachEngine("the census of queues", (engine) => {
  test("tells what each queue holds and since when its head waits", async () => {
    await using queue = await engine.open();
    await prepareEngine(queue.url);
    await using t = await setup({ queueUrl: queue.url, prefix: queue.prefix });
    const jobs = [0, 5].map((priority) => ({ id: `j${priority}`, name: "x", data: {}, priority }));
    await t.engine.add("pdf", jobs);
    await t.engine.setPaused("email", true);
    await using census = new AsyncDisposableStack();
    for (const rounds of startQueueCensus({ ...t, ...t.telemetry })) census.use(rounds);
    const text = () => t.telemetry.registry.metrics();
    await until(async () => (await text()).includes("ballast_engine_unfit 0"), {
      deadlineMs: 60_000,
    });

    expect(await text()).toContain(`bullmq_job_count{queue="pdf",state="prioritized"} 1`);
    expect(await text()).toContain(`bullmq_job_count{queue="pdf",state="waiting"} 1`);
    expect(await text()).toContain(`bullmq_job_count{queue="email",state="waiting"} 0`);
    expect(await text()).toMatch(
      /^ballast_oldest_waiting_age_seconds\{queue="pdf"\} (0\.\d|[1-9])/m,
    );
    expect(await text()).toContain(`ballast_oldest_waiting_age_seconds{queue="email"} 0`);
    expect(await text()).toContain(`ballast_queue_paused{queue="email"} 1`);
    expect(await text()).toContain(`ballast_queue_paused{queue="pdf"} 0`);
    expect(await text()).toContain("ballast_engine_unfit 0");
  });
});

test("what cannot be measured is absent, and a reminder that nobody began is late", async () => {
  await using t = await setup();
  const { companyId, invoiceId } = await t.issued();
  const dueAt = new Date(Date.now() - 10 * MINUTE_MS);
  const payload = { invoiceId, dueDate: "2026-03-01", step: "after" } as const;
  const wish = { companyId, requestedBy: "test", dueAt };
  await t.database.transaction((tx) => t.deps.requests.ask(tx, paymentReminder, payload, wish));
  t.telemetry.metrics.jobCount.set({ queue: "pdf", state: "waiting" }, 7);
  t.telemetry.metrics.queuePaused.set({ queue: "pdf" }, 1);
  await using census = new AsyncDisposableStack();
  for (const rounds of startQueueCensus({ ...t, ...t.telemetry })) census.use(rounds);

  const text = () => t.telemetry.registry.metrics();
  const isDone = async () =>
    /^ballast_reminder_overdue_age_seconds 60\d\./m.test(await text()) &&
    !/^(bullmq_job_count|ballast_queue_paused)\{/m.test(await text());
  await until(isDone, { deadlineMs: 60_000 });
});

test("bulk work that waits for room is told for each queue, and of none while the database is away", async () => {
  await using t = await setup();
  await t.api.post("/v1/jobs", { job: "echo", payload: { id: "1" } }).expect(202);
  await t.database.kysely
    .updateTable("jobRuns")
    .set({ priority: BULK_PRIORITY, dueAt: new Date(Date.now() - 10 * MINUTE_MS) })
    .execute();
  await using census = new AsyncDisposableStack();
  const all = startQueueCensus({ ...t, ...t.telemetry });
  for (const rounds of all) census.use(rounds);

  const text = () => t.telemetry.registry.metrics();
  await until(async () => (await text()).includes("ballast_outbox_bulk_pending{"));
  expect(await text()).toContain(`ballast_outbox_bulk_pending{queue="drill"} 1`);
  expect(await text()).toContain(`ballast_outbox_bulk_pending{queue="pdf"} 0`);
  expect(await text()).toMatch(
    /^ballast_outbox_bulk_oldest_pending_age_seconds\{queue="drill"\} 60\d\./m,
  );

  await t.database[Symbol.asyncDispose]();
  for (const rounds of all) rounds.wake();
  await until(async () => !(await text()).includes("ballast_outbox_bulk_pending{"));
});
