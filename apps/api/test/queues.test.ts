import { queueDefinitions } from "@ballast/contracts";
import { listActions } from "@ballast/database";
import { prepareEngine, reconcile } from "@ballast/jobs";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { queueRoutes } from "../src/routes/queues.ts";
import { setup } from "./setup.ts";

const reason = "the fonts are being replaced";

test("a paused queue accepts work, hands none of it over, and each job says by whom and why", async () => {
  await using t = await setup();
  await t.api.post("/v1/queues/pdf/pause", { reason }).expect(200);
  const { invoiceId } = await t.issued();
  const asked = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);

  expect(await t.store.claim(10, 1_000, {})).toEqual([]);
  expect(await t.store.nextDueInMs()).toBeNull();
  const job = await t.api.get(`/v1/jobs/${asked.body.requestId}`);
  expect(job.body.waits).toMatchObject({
    code: "queue_paused",
    message: expect.stringMatching(/"pdf" is paused by api-key:test since .*: the fonts/),
  });
  expect((await t.api.get("/v1/queues/pdf")).body).toMatchObject({
    paused: true,
    pause: { by: "api-key:test", reason },
    pending: 1,
    engine: null,
  });

  await t.api.post("/v1/queues/pdf/resume", { reason: "they are there" }).expect(200);
  expect(await t.store.claim(10, 1_000, {})).toHaveLength(1);
});

test("who paused and resumed a queue is on record, with the state before and after", async () => {
  await using t = await setup();
  await t.api.post("/v1/queues/email/pause", { reason });
  await t.api.post("/v1/queues/email/resume", { reason: "done" });

  const { actions } = await listActions(t.database.kysely, "all", { targetKind: "queue" });
  expect(actions).toMatchObject([
    { action: "resume-queue", reason: "done", before: { paused: true }, after: { paused: false } },
    { action: "pause-queue", reason, before: { paused: false }, after: { paused: true } },
  ]);
});

test("the list of all queues asks PostgreSQL no more often than one of them", async () => {
  await using t = await setup();
  let asked = 0;
  const kysely = t.database.kysely.withPlugin({
    transformQuery({ node }) {
      asked += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const routes = queueRoutes({ ...t.deps, database: { kysely } });
  const list = routes.find(({ operationId }) => operationId === "listQueues");
  const caller = { id: "1", name: "test", companyId: null, scopes: ["read"] };
  const answer = await list?.handle({ caller } as never);
  expect(answer).toMatchObject({
    body: {
      queues: queueDefinitions
        .map(({ name }) => ({ queue: name }))
        .sort((a, b) => (a.queue < b.queue ? -1 : 1)),
    },
  });
  expect(asked).toBe(2);
});

test("an unknown queue is answered with those that exist", async () => {
  await using t = await setup();
  for (const got of [
    await t.api.get("/v1/queues/fax"),
    await t.api.post("/v1/queues/fax/pause", { reason }),
  ])
    expect(got).toMatchObject({
      status: 404,
      body: {
        detail: "there is no queue fax: there are dead-letter, drill, email, marketplace-sync, pdf",
      },
    });
});

describeEachEngine("a queue that is paused", (engine) => {
  test("is paused in the engine too, from where it is resumed", async () => {
    await using queue = await engine.open();
    await prepareEngine(queue.url);
    await using t = await setup({ queueUrl: queue.url, prefix: queue.prefix });
    await t.engine.state("pdf"); // connected

    await t.api.post("/v1/queues/pdf/pause", { reason }).expect(200);
    await reconcile({ store: t.store, engine: t.engine, telemetry: t.telemetry });
    expect((await t.engine.state("pdf")).paused).toBe(true);

    await t.engine.setPaused("pdf", false); // as a wiped engine would have it
    await reconcile({ store: t.store, engine: t.engine, telemetry: t.telemetry });
    expect((await t.engine.state("pdf")).paused).toBe(true);

    await t.api.post("/v1/queues/pdf/resume", { reason }).expect(200);
    await reconcile({ store: t.store, engine: t.engine, telemetry: t.telemetry });
    expect((await t.engine.state("pdf")).paused).toBe(false);
  });

  test("by another team alone, a minute after it was resumed, is left as it is", async () => {
    await using queue = await engine.open();
    await prepareEngine(queue.url);
    await using t = await setup({ queueUrl: queue.url, prefix: queue.prefix });
    await t.api.post("/v1/queues/pdf/pause", { reason });
    await t.api.post("/v1/queues/pdf/resume", { reason });
    const minuteAgo = new Date(Date.now() - 61_000);
    await t.database.kysely.updateTable("queueStates").set({ changedAt: minuteAgo }).execute();
    await reconcile({ store: t.store, engine: t.engine, telemetry: t.telemetry });

    await t.engine.setPaused("pdf", true);
    await reconcile({ store: t.store, engine: t.engine, telemetry: t.telemetry });
    expect((await t.engine.state("pdf")).paused).toBe(true);
  });
});
