import { renderInvoice } from "@ballast/contracts";
import {
  handle,
  prepareEngine,
  RateLimitedError,
  startWorker,
  TransientError,
} from "@ballast/jobs";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { openEvents, type StreamEvent } from "./event-stream.ts";
import { type Api, type Options, setup } from "./setup.ts";

type Run = Parameters<typeof handle<typeof renderInvoice>>[1];

const result = (invoiceId: string) => ({
  documentId: invoiceId,
  objectKey: "x.pdf",
  sha256: "a".repeat(64),
  pageCount: 1,
  sizeBytes: 1,
});

const work = (t: Api, run: Run, store = t.store) =>
  startWorker({
    queue: renderInvoice.queue,
    handlers: [handle(renderInvoice, run)],
    engine: t.deps.engine as Parameters<typeof startWorker>[0]["engine"],
    store,
    telemetry: t.telemetry,
  });

const asked = async (t: Api) => {
  const { invoiceId } = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  return `/v1/jobs/${body.requestId}`;
};

const waitsOf = async (t: Api, path: string) => (await t.api.get(path)).body.waits;

describeEachEngine("jobs over HTTP", (engine) => {
  const start = async (options: Options = {}) => {
    const opened = await engine.open();
    await prepareEngine(opened.url);
    const t = await setup({
      queueUrl: opened.url,
      prefix: opened.prefix,
      dispatching: true,
      ...options,
    });
    return Object.assign(t, {
      [Symbol.asyncDispose]: async () => {
        await t.dispose();
        await opened[Symbol.asyncDispose]();
      },
    });
  };

  test("a job whose worker died between engine and journal is over once somebody looks", async () => {
    await using t = await start({ heartbeatMs: 1_000 });
    // It tells the engine of the end, and is killed before it tells PostgreSQL.
    const store = { ...t.store, ended: () => new Promise<void>(() => {}) };
    const [read, followed] = [await asked(t), await asked(t)];
    await using _worker = await work(t, async ({ payload }) => result(payload.invoiceId), store);

    await expect
      .poll(async () => (await t.api.get(read)).body, { timeout: 30_000, interval: 200 })
      .toMatchObject({ state: "completed", result: { pageCount: 1 } });
    using stream = await openEvents(`${t.url}${followed}/events`, t.adminKey);
    const events: StreamEvent[] = [];
    for await (const event of stream.events) if (event.data !== undefined) events.push(event);
    expect(events.at(-1)?.data).toMatchObject({ state: "completed" });
  }, 60_000);

  test("a job is followed as events from the queue to its end, and is not told twice", async () => {
    await using t = await start();
    const path = await asked(t);
    await expect.poll(() => waitsOf(t, path)).toMatchObject({ code: "queued" });

    using stream = await openEvents(`${t.url}${path}/events`, t.adminKey);
    expect(stream.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const events: StreamEvent[] = [];
    await using _worker = await work(t, async ({ payload, progress }) => {
      progress({ pages: 3 });
      return result(payload.invoiceId);
    });
    for await (const event of stream.events) if (event.data !== undefined) events.push(event);

    expect(events[0]?.data).toMatchObject({ state: "waiting" });
    const last = events.at(-1);
    expect(last?.data).toMatchObject({
      state: "completed",
      result: { pageCount: 1 },
      waits: null,
      attempts: [{ outcome: "completed" }],
    });
    const ids = events.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));

    const again = await t.api.get(`${path}/events`, { "Last-Event-ID": String(last?.id) });
    expect(again.status).toBe(204);
    const late = await t.api.get(`${path}/events`, { "Last-Event-ID": String(ids[0]) });
    expect(late.text.match(/^id:/gm)).toEqual(["id:"]);
  });

  test("a running job that is taken back is aborted, and then it is too late for that", async () => {
    await using t = await start();
    const path = await asked(t);
    await using _worker = await work(t, ({ signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    });
    await expect.poll(async () => (await t.api.get(path)).body.running).toBeTruthy();
    expect(await waitsOf(t, path)).toBeNull();

    const told = await t.api.delete(path).expect(202);
    expect(told.body.waits).toMatchObject({ code: "cancelling" });
    const state = async () => (await t.api.get(path)).body.state;
    await expect.poll(state).toBe("cancelled");
    expect(await t.api.delete(path)).toMatchObject({
      status: 409,
      body: { type: "/problems#job-over", detail: expect.stringContaining("is cancelled") },
    });
  });

  test("a waiting job that is taken back is gone from the engine too", async () => {
    await using t = await start();
    const path = await asked(t);
    await expect.poll(() => waitsOf(t, path)).toMatchObject({ code: "queued" });
    const taken = await t.api.delete(path).expect(200);
    expect(taken.body).toMatchObject({ state: "cancelled", waits: null });
    await expect.poll(() => t.deps.engine.find("pdf", taken.body.runId)).toBeUndefined();
  });

  test("a failed attempt is told with its error, and until when the job backs off or is put off", async () => {
    await using t = await start();
    const began = Date.now();
    const [failing, refused] = [await asked(t), await asked(t)];
    const first = (await t.api.get(failing)).body.subject;
    await using _worker = await work(t, ({ subject }) => {
      if (subject === first) throw new TransientError("font_missing", "no font for 漢");
      throw new RateLimitedError("too_fast", "asked to wait", { retryAfterMs: 60_000 });
    });
    // In one look: it backs off for seconds, and is tried again.
    const waitingFor = (path: string, code: string) =>
      until(async () => {
        const { body } = await t.api.get(path);
        return body.waits?.code === code ? body : undefined;
      });
    const failed = await waitingFor(failing, "backing_off");
    expect(failed).toMatchObject({
      state: "started",
      waits: { message: expect.stringContaining("no font for 漢"), until: expect.any(String) },
    });
    expect(failed.attempts).toHaveLength(failed.attemptsMade);
    expect(failed.attempts[0]).toMatchObject({
      outcome: "retry",
      code: "font_missing",
      message: "no font for 漢",
    });
    const putOff = await waitingFor(refused, "postponed");
    expect(putOff.attemptsMade).toBe(0);
    expect(putOff.waits.message).toContain("asked to wait");
    expect(new Date(putOff.waits.until).getTime() - began).toBeGreaterThan(50_000);
  });
});
