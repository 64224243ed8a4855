import { expect, onTestFinished, test, vi } from "vitest";
import { openJobWatch } from "../src/jobs/job-watch.ts";
import { openEvents } from "./event-stream.ts";
import { setup } from "./setup.ts";

const log = { warn() {} };

test("a silent stream is kept alive by comments, and hanging up ends its watch", async () => {
  await using t = await setup({ heartbeatMs: 50 });
  const { invoiceId } = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  {
    using stream = await openEvents(`${t.url}/v1/jobs/${body.requestId}/events`, t.adminKey);
    const first = await stream.events.next();
    expect(first.value).toMatchObject({ event: "job", data: { requestId: body.requestId } });
    expect((await stream.events.next()).value).toEqual({ comment: "still here" });
    expect(t.jobWatch.watched).toBe(1);
  }
  await expect.poll(() => t.jobWatch.watched).toBe(0);
});

test("a caller who names the current change hears of the next one alone", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  const path = `/v1/jobs/${body.requestId}`;
  const { changeNo } = (await t.api.get(path)).body;
  using stream = await openEvents(`${t.url}${path}/events`, t.adminKey, String(changeNo));
  await expect.poll(() => t.jobWatch.watched).toBe(1);
  await t.api.delete(path).expect(200);
  const { value } = await stream.events.next();
  expect(value?.data).toMatchObject({ state: "cancelled" });
  expect(Number(value?.id)).toBeGreaterThan(changeNo);
});

test("the stream of a request that left its run ends, and is over for who asks again", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const ask = async () => (await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202)).body;
  const [first] = [await ask(), await ask()];
  const url = `${t.url}/v1/jobs/${first.requestId}/events`;
  using stream = await openEvents(url, t.adminKey);
  await stream.events.next();
  await t.api.delete(`/v1/jobs/${first.requestId}`).expect(200);
  const { value } = await stream.events.next();
  expect(value?.data).toMatchObject({ state: "cancelled" });
  expect((await stream.events.next()).value).toEqual({ comment: "the job is over" });
  expect((await stream.events.next()).done).toBe(true);
  using again = await openEvents(url, t.adminKey, value?.id);
  expect(again.status).toBe(204);
});

test("a process that stops says so on its streams and ends them", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  using stream = await openEvents(`${t.url}/v1/jobs/${body.requestId}/events`, t.adminKey);
  await stream.events.next();
  t.stop();
  expect((await stream.events.next()).value).toEqual({ comment: "this server stops; ask again" });
  expect((await stream.events.next()).done).toBe(true);
});

test("any number of watchers cost one query each half second at most, and none without watchers", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked: string[][] = [];
  let change = 1;
  await using watch = openJobWatch({
    log,
    changedSince: async (runIds, since) => {
      asked.push([...runIds]);
      return runIds.filter(() => change > since).map((runId) => ({ runId, changeNo: change }));
    },
  });
  const signal = new AbortController().signal;
  const all = Array.from({ length: 50 }, (_, index) => watch.watch(`run-${index % 5}`, 1));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(asked.length).toBeGreaterThanOrEqual(8); // a change is seen within 500 ms
  expect(asked.length).toBeLessThanOrEqual(11);
  expect(asked.at(-1)).toEqual(["run-0", "run-1", "run-2", "run-3", "run-4"]);

  const changed = Promise.all(all.map((watching) => watching.changed(5_000, signal)));
  change = 2;
  await vi.advanceTimersByTimeAsync(500);
  expect(new Set(await changed)).toEqual(new Set([true]));

  for (const watching of all) watching[Symbol.dispose]();
  const queries = asked.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(queries);
});

test("a look that fails is repeated, and its watchers hear of the change all the same", async () => {
  let looks = 0;
  await using watch = openJobWatch({
    log,
    changedSince: async (runIds) => {
      looks += 1;
      if (looks < 3) throw new Error("PostgreSQL is away");
      return runIds.map((runId) => ({ runId, changeNo: 7 }));
    },
  });
  using watching = watch.watch("run", 1);
  expect(await watching.changed(5_000, new AbortController().signal)).toBe(true);
});
