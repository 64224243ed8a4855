import { until } from "@ballast/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AdmissionLimits, startAdmission, threshold } from "../src/admission.ts";
import { createApp } from "../src/app.ts";
import { listen } from "../src/server.ts";
import { client, setup } from "./setup.ts";

/** The API with real admission before an engine that says how full it is. */
async function admitting(limits: Partial<AdmissionLimits>) {
  const stack = new AsyncDisposableStack();
  const t = stack.use(await setup());
  const memory = { usedBytes: 10, maxBytes: 100 };
  const { metrics, log } = t.telemetry;
  const admission = stack.use(
    startAdmission({
      database: t.database,
      engine: { memory: async () => memory },
      limits: { outboxRuns: 1_000, engineMemoryShare: 0.7, ...limits },
      log,
      metrics,
    }),
  );
  const app = createApp({ ...t.deps, admission });
  const server = stack.use(await listen(app, { host: "127.0.0.1", port: 0 }));
  const api = client(server.url, t.adminKey);
  return {
    api,
    memory,
    database: t.database,
    /** What the gauge says, if anything. */
    pending: async () => (await metrics.outboxPending.get()).values[0]?.value,
    admission,
    ask: () => api.post("/v1/jobs", { job: "echo", payload: { id: "1" } }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("too many runs that wait to be handed over: new work is refused with a time to return, the rest is served", async () => {
  await using t = await admitting({ outboxRuns: 2 });
  const asked = [await t.ask(), await t.ask(), await t.ask()];
  expect(asked.map(({ status }) => status)).toEqual([202, 202, 202]);
  await until(async () => (await t.pending()) === 3);

  const refused = await t.ask();
  expect(refused).toMatchObject({ status: 503, body: { type: "/problems#overloaded" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  await t.api.get("/v1/jobs").expect(200);
  await t.api.delete(asked[0]?.headers.get("location") ?? "").expect(200);
  await t.api.delete(asked[1]?.headers.get("location") ?? "").expect(200);
  await until(async () => (await t.pending()) === 1);
  await t.ask().then((reply) => expect(reply.status).toBe(202));
});

test("too many runs in a paused queue: no more are taken until it is resumed, and what else waits is counted apart", async () => {
  await using t = await admitting({ outboxRuns: 2 });
  await t.api.post("/v1/queues/drill/pause", { reason: "a test" }).expect(200);
  for (let n = 0; n < 3; n++) expect((await t.ask()).status).toBe(202);

  const refused = await until(async () => {
    const reply = await t.ask();
    return reply.status === 503 ? reply : undefined;
  });
  expect(refused.body.detail).toContain("more than 2 runs wait in paused queues: resume one");
  expect(await t.pending()).toBe(0);
});

test("what cannot be measured is not told, and decided as it was", async () => {
  await using t = await admitting({ outboxRuns: 2 });
  for (let n = 0; n < 3; n++) expect((await t.ask()).status).toBe(202);
  await until(async () => (await t.pending()) === 3);

  await t.database[Symbol.asyncDispose]();
  await until(async () => (await t.pending()) === undefined);
  expect(() => t.admission.admit()).toThrow("no new work is taken right now");
});

test("a dry run asks for no work: it is answered while none is taken", async () => {
  await using t = await admitting({});
  t.memory.usedBytes = 71;
  await until(() => t.admission.engineIsFull);
  const body = { filter: { queue: "drill" }, reason: "mended" };
  expect((await t.api.post("/v1/replays", { ...body, dryRun: true })).status).toBe(200);
  expect((await t.api.post("/v1/replays", body)).status).toBe(503);
});

test("an engine whose memory is nearly full: new work is refused until it has room again", async () => {
  await using t = await admitting({});
  t.memory.usedBytes = 71;
  await until(() => t.admission.engineIsFull);
  expect(await t.ask()).toMatchObject({
    status: 503,
    body: { detail: expect.stringContaining("70 % of its memory") },
  });
  t.memory.usedBytes = 60;
  await until(() => !t.admission.engineIsFull);
  expect((await t.ask()).status).toBe(202);
});

test("a limit that was passed is left only well below it, so that callers are not let in and sent away by turns", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2, noNaN: true })), (values) => {
      const limit = threshold(1);
      let before = false;
      for (const value of values) {
        limit.see(value);
        if (value > 1) expect(limit.passed).toBe(true);
        else if (value <= 0.9) expect(limit.passed).toBe(false);
        else expect(limit.passed).toBe(before);
        before = limit.passed;
      }
    }),
  );
});
