import { randomUUID } from "node:crypto";
import { listActions, uuidv7 } from "@ballast/database";
import { expect, test, vi } from "vitest";
import { deadPdf, incident } from "./letters.ts";
import { setup } from "./setup.ts";

vi.setConfig({ testTimeout: 60_000 });

const why = { reason: "the template was fixed" };

test("an incident tells how many, whom it touches, who was told and what can be done", async () => {
  await using t = await setup();
  const [one, other] = [await deadPdf(t), await deadPdf(t)];
  const id = await incident(t, [one.letterId, other.letterId]);
  await t.api.post(`/v1/dead-letters/${one.letterId}/discard`, why).expect(204);
  const alertId = uuidv7();
  const db = t.database.kysely;
  await db
    .insertInto("alerts")
    .values({ id: alertId, incidentId: id, kind: "opened", deathCount: 1n })
    .execute();
  await db
    .insertInto("alertDeliveries")
    .values([
      { alertId, channel: "slack", response: "ok" },
      { alertId, channel: "pagerduty", response: "not sent", overtaken: true },
    ])
    .execute();

  const { body } = await t.api.get(`/v1/incidents/${id}`).expect(200);
  expect(body).toMatchObject({
    state: "open",
    deathCount: 2,
    letters: { open: 1, replayed: 0, discarded: 1 },
    subjects: [`invoice:${other.invoiceId}`, `invoice:${one.invoiceId}`],
    subjectCount: 2,
    workerVersions: ["1.2.3"],
    ticket: null,
    alerts: [
      {
        alertId,
        kind: "opened",
        toldTo: [{ channel: "slack" }],
        overtakenOn: [{ channel: "pagerduty" }],
      },
    ],
    actions: [
      { action: "ticket", allowed: true },
      { action: "resolve", allowed: true },
      { action: "ignore", allowed: true },
      { action: "reopen", allowed: false },
    ],
  });
  expect((await t.api.get("/v1/incidents?state=open&queue=pdf")).body.incidents).toHaveLength(1);
  expect((await t.api.get("/v1/incidents?state=resolved")).body.incidents).toEqual([]);
  expect((await t.api.get(`/v1/dead-letters/${one.letterId}`)).body.incidentId).toBe(id);
});

test("a resolved incident says who resolved it to whoever would again, and can be reopened", async () => {
  await using t = await setup();
  const id = await incident(t, []);
  const answers = await Promise.all([
    t.api.post(`/v1/incidents/${id}/resolve`, why),
    t.api.post(`/v1/incidents/${id}/resolve`, why),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const refused = answers.find(({ status }) => status === 409);
  expect(refused?.body.detail).toMatch(/resolve-incident by api-key:test at 20.*template/);
  expect((await t.api.get(`/v1/incidents/${id}`)).body).toMatchObject({
    state: "resolved",
    resolvedAt: expect.any(String),
  });

  const reopened = await t.api.post(`/v1/incidents/${id}/reopen`, why).expect(200);
  expect(reopened.body).toMatchObject({ state: "open", resolvedAt: null });
  const { actions } = await listActions(t.database.kysely, "all", { targetId: id });
  expect(actions).toMatchObject([
    { action: "reopen-incident", before: { state: "resolved" }, after: { state: "open" } },
    { action: "resolve-incident", before: { state: "open" }, after: { state: "resolved" } },
  ]);
});

test("an incident is ignored until a time in the future, or a count that is not reached yet", async () => {
  await using t = await setup();
  const id = await incident(t, [], 7);
  const ignore = (bounds: object) =>
    t.api.post(`/v1/incidents/${id}/ignore`, { ...why, ...bounds });
  for (const [bounds, path] of [
    [{}, "until"],
    [{ until: "2020-01-01T00:00:00Z" }, "until"],
    [{ above: 6 }, "above"],
  ] as const)
    expect(await ignore(bounds)).toMatchObject({ status: 422, body: { errors: [{ path }] } });

  const until = new Date(Date.now() + 3_600_000).toISOString();
  expect((await ignore({ until, above: 7 }).expect(200)).body).toMatchObject({
    state: "ignored",
    ignored: { until, above: 7 },
  });
});

test("a ticket is asked for as a job, and two wishes for it are one", async () => {
  await using t = await setup();
  const id = await incident(t, []);
  const first = await t.api.post(`/v1/incidents/${id}/ticket`, why).expect(202);
  const second = await t.api.post(`/v1/incidents/${id}/ticket`, why).expect(202);
  expect(second.body).toMatchObject({ runId: first.body.runId, joined: true });
  const job = await t.api.get(first.headers.get("location") ?? "").expect(200);
  expect(job.body).toMatchObject({ job: "update-ticket", subject: `incident:${id}` });
});

test("a key of one company sees no incident, since they group the deaths of all", async () => {
  await using t = await setup();
  const own = await deadPdf(t);
  const id = await incident(t, [own.letterId]);
  const as = t.as(await t.keyFor(own.companyId));
  expect((await as.get("/v1/incidents")).body.incidents).toEqual([]);
  expect((await as.get(`/v1/incidents/${id}`)).status).toBe(404);
  expect((await as.post(`/v1/incidents/${id}/resolve`, why)).status).toBe(404);
  expect((await as.get(`/v1/dead-letters/${own.letterId}`)).body.incidentId).toBeNull();
  expect((await t.api.get(`/v1/incidents/${randomUUID()}`)).status).toBe(404);
});
