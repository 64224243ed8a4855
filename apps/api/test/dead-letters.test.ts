import { randomUUID } from "node:crypto";
import { listActions } from "@ballast/database";
import { expect, test, vi } from "vitest";
import { begin, deadForeigner, deadPdf, die, end, giveUpAfterMs } from "./letters.ts";
import { type Api, setup } from "./setup.ts";

vi.setConfig({ testTimeout: 60_000 });

const why = { reason: "the tax table was corrected" };
const job = async (t: Api, requestId: string) => (await t.api.get(`/v1/jobs/${requestId}`)).body;
const letter = async (t: Api, letterId: string) =>
  (await t.api.get(`/v1/dead-letters/${letterId}`).expect(200)).body;
const replay = (t: Api, letterId: string, body: object = why) =>
  t.api.post(`/v1/dead-letters/${letterId}/replay`, body);
const runOf = (t: Api, runId: string) =>
  t.database.kysely
    .selectFrom("jobRuns")
    .selectAll()
    .where("id", "=", runId)
    .executeTakeFirstOrThrow();

test("a letter tells what died of what, where, and what each button would do", async () => {
  await using t = await setup();
  const { letterId, invoiceId, companyId } = await deadPdf(t);

  expect(await letter(t, letterId)).toMatchObject({
    letterId,
    queue: "pdf",
    job: "render-invoice",
    version: 1,
    data: { invoiceId, revision: 1 },
    subject: `invoice:${invoiceId}`,
    companyId,
    error: { code: "invoice_broken", message: "no tax rate" },
    stack: expect.stringContaining("at render"),
    failedAt: expect.any(String),
    attempts: [{ outcome: "dead", code: "invoice_broken", worker: "host:7@1.2.3" }],
    worker: "host:7@1.2.3",
    workerVersion: "1.2.3",
    generation: 1,
    state: "open",
    settled: null,
    lineage: { ancestors: [], descendants: [] },
    actions: [
      { action: "replay", allowed: true, explanation: expect.stringContaining("generation 2") },
      { action: "discard", allowed: true },
    ],
  });
});

test("the list has the latest death first, in pages, and finds by every filter", async () => {
  await using t = await setup();
  const first = await deadPdf(t);
  const second = await deadPdf(t, { code: "invoice_void" });
  await replay(t, first.letterId).expect(202);
  const ids = async (query: string) =>
    (await t.api.get(`/v1/dead-letters?${query}`).expect(200)).body.deadLetters.map(
      (one: { letterId: string }) => one.letterId,
    );

  expect(await ids("")).toEqual([second.letterId, first.letterId]);
  const page = await t.api.get("/v1/dead-letters?limit=1").expect(200);
  expect(page.body.nextCursor).toBe(second.letterId);
  expect(await ids(`limit=1&cursor=${page.body.nextCursor}`)).toEqual([first.letterId]);

  expect(await ids("state=open")).toEqual([second.letterId]);
  expect(await ids("code=invoice_void&queue=pdf&job=render-invoice")).toEqual([second.letterId]);
  expect(await ids(`subject=invoice:${first.invoiceId}`)).toEqual([first.letterId]);
  expect(await ids(`incidentId=${randomUUID()}`)).toEqual([]);
  expect(await ids("queue=email")).toEqual([]);
  const died = (await letter(t, second.letterId)).failedAt;
  expect(await ids(`since=${died}`)).toEqual([second.letterId]);
  expect(await ids(`until=${died}`)).toEqual([first.letterId]);
});

test("a replay is a new run of the same payload, with fresh attempts and a fresh deadline, of the next generation", async () => {
  await using t = await setup();
  const { letterId, invoiceId, companyId } = await deadPdf(t);

  const got = await replay(t, letterId).expect(202);
  expect(got.headers.get("location")).toBe(`/v1/jobs/${got.body.requestId}`);
  expect(got.body).toMatchObject({ letterId, generation: 2, joined: false, twin: null });

  const run = await runOf(t, got.body.runId);
  expect(run).toMatchObject({
    origin: "replay",
    replayOf: letterId,
    generation: 2,
    attemptsMade: 0,
    state: "waiting",
    payload: { invoiceId, revision: 1, locale: "de-AT" },
    companyId,
    subject: `invoice:${invoiceId}`,
  });
  const life = run.deadlineAt.getTime() - run.createdAt.getTime();
  expect(Math.abs(life - giveUpAfterMs("pdf", "render-invoice"))).toBeLessThan(60_000);
  expect(await job(t, got.body.requestId)).toMatchObject({ origin: "replay", state: "waiting" });
});

test("a replay is written down with who, when, why, before and after, and the letter shows it", async () => {
  await using t = await setup();
  const { letterId, companyId, invoiceId } = await deadPdf(t);
  const { body } = await replay(t, letterId).expect(202);

  const { actions } = await listActions(t.database.kysely, "all", { targetId: letterId });
  expect(actions).toMatchObject([
    {
      actor: "api-key:test",
      action: "replay-letter",
      companyId,
      subject: `invoice:${invoiceId}`,
      reason: why.reason,
      before: { state: "open" },
      after: { state: "replayed", requestId: body.requestId, runId: body.runId },
    },
  ]);
  expect(await letter(t, letterId)).toMatchObject({
    state: "replayed",
    settled: { by: "api-key:test", reason: why.reason, requestId: body.requestId },
    lineage: { descendants: [{ runId: body.runId, state: "waiting", generation: 2 }] },
    actions: [{ allowed: false }, { allowed: false }],
  });
});

test("the replay of a replay that died says which generation it is, and names the whole chain", async () => {
  await using t = await setup();
  const { letterId } = await deadPdf(t);
  const second = (await replay(t, letterId).expect(202)).body.runId;
  await die(t, second);
  const third = (await replay(t, second).expect(202)).body.runId;
  await die(t, third);

  expect(await letter(t, third)).toMatchObject({ generation: 3, replayOf: second, state: "open" });
  const { lineage } = await letter(t, second);
  expect(lineage).toMatchObject({
    ancestors: [{ letterId, generation: 1, state: "replayed" }],
    descendants: [{ runId: third, state: "dead", generation: 3, letterId: third }],
  });
  expect((await letter(t, third)).lineage.ancestors).toMatchObject([
    { letterId, generation: 1 },
    { letterId: second, generation: 2 },
  ]);
});

test("a replay joins the waiting run of its slot, names it, and leaves the newer wish's payload alone", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const newer = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  await t.database.kysely
    .updateTable("jobRuns")
    .set({ payload: JSON.stringify({ newer: true }) })
    .where("id", "=", newer.body.runId)
    .execute();
  const { actions } = await letter(t, letterId);
  expect(actions[0].explanation).toContain(newer.body.runId);

  const { body } = await replay(t, letterId).expect(202);
  expect(body).toMatchObject({
    runId: newer.body.runId,
    joined: true,
    twin: { runId: newer.body.runId, requestId: newer.body.requestId, state: "waiting" },
  });
  expect(await runOf(t, body.runId)).toMatchObject({
    payload: { newer: true },
    origin: "request",
    generation: 2,
    replayOf: letterId,
  });
});

test("a replay joins the started run of its slot instead of doubling it, and if that dies it is its child", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const newer = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  const attemptId = await begin(t, newer.body.runId);

  const { body } = await replay(t, letterId).expect(202);
  expect(body).toMatchObject({
    runId: newer.body.runId,
    joined: true,
    twin: { requestId: newer.body.requestId, state: "started" },
  });
  expect(await job(t, body.requestId)).toMatchObject({ state: "started", otherRequests: 1 });

  await end(t, newer.body.runId, attemptId, { outcome: "dead", code: "again", message: "again" });
  expect(await letter(t, newer.body.runId)).toMatchObject({
    generation: 2,
    replayOf: letterId,
    lineage: { ancestors: [{ letterId }] },
  });
});

test("a started run that is being cancelled takes no replay in: it would end without the work", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const newer = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  await begin(t, newer.body.runId);
  await t.api.delete(`/v1/jobs/${newer.body.requestId}`).expect(202);

  expect((await replay(t, letterId).expect(202)).body).toMatchObject({ joined: false });
});

test("with a run started and another waiting, the replay joins the one that starts later", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const started = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  await begin(t, started.body.runId);
  const waiting = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);

  expect((await replay(t, letterId).expect(202)).body.runId).toBe(waiting.body.runId);
});

test("an edited payload is a new change: a waiting run takes it, a started one does not swallow it, the letter keeps what died", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const twin = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  await begin(t, twin.body.runId);
  const before = await letter(t, letterId);
  const payload = { invoiceId, revision: 1, locale: "de-AT", note: "stripped" };

  const { body } = await replay(t, letterId, { ...why, payload }).expect(202);
  expect(body).toMatchObject({ joined: false, edited: true });
  const run = await runOf(t, body.runId);
  expect(run.payload).toEqual({ invoiceId, revision: 1, locale: "de-AT" });
  expect((await letter(t, letterId)).data).toEqual(before.data);
  const { actions } = await listActions(t.database.kysely, "all", { targetId: letterId });
  expect(actions[0]).toMatchObject({
    before: { payload: before.data },
    after: { payload: run.payload },
  });
});

test("an edit that breaks the contract is refused with the path of each bad field, and nothing happens", async () => {
  await using t = await setup();
  const { letterId, invoiceId } = await deadPdf(t);
  const payload = { invoiceId, revision: 0, locale: "tlh" };

  const got = await replay(t, letterId, { ...why, payload });
  expect(got).toMatchObject({
    status: 422,
    body: { errors: [{ path: "payload.revision" }, { path: "payload.locale" }] },
  });
  expect(await letter(t, letterId)).toMatchObject({ state: "open", settled: null });
});

test.each([
  ["without an envelope", { version: 0, payload: { unreadable: "x" } }, /envelope/],
  ["of a newer version", { version: 9 }, /up to v1/],
  ["of a job nobody has a contract of", { job: "frame-invoice" }, /no contract.*render-invoice/],
] as const)("a letter %s is replayed only with an edited payload", async (_, change, words) => {
  await using t = await setup();
  const letterId = await deadForeigner(t, change);
  const refused = await replay(t, letterId);
  expect(refused).toMatchObject({ status: 422, body: { type: "/problems#not-replayable" } });
  expect(refused.body.detail).toMatch(words);
  expect((await letter(t, letterId)).actions[0]).toMatchObject({ allowed: false });

  const payload = { invoiceId: randomUUID(), revision: 1, locale: "de-DE" };
  const edited = { ...why, job: "render-invoice", payload };
  const { body } = await replay(t, letterId, edited).expect(202);
  expect(await runOf(t, body.runId)).toMatchObject({ version: 1, payload, job: "render-invoice" });
});

test("a letter whose job has a contract is not replayed as another job", async () => {
  await using t = await setup();
  const letterId = await deadForeigner(t, { queue: "email", job: "send-invoice" });
  const got = await replay(t, letterId, { ...why, job: "remind-debtors", payload: { days: 2 } });
  expect(got).toMatchObject({ status: 422, body: { errors: [{ path: "job" }] } });
});

test("a payload that its contract never took is named field by field, not replayed to die again", async () => {
  await using t = await setup();
  const letterId = await deadForeigner(t, { payload: { invoiceId: "4711" } });
  const got = await replay(t, letterId);
  expect(got.status).toBe(422);
  expect(got.body.errors).toEqual(
    expect.arrayContaining([expect.objectContaining({ path: "payload.invoiceId" })]),
  );
});

test("of two operators at once one wins, and the other is told by whom, when and why", async () => {
  await using t = await setup();
  for (let round = 0; round < 5; round += 1) {
    const { letterId } = await deadPdf(t);
    const answers = await Promise.all([
      replay(t, letterId),
      replay(t, letterId),
      t.api.post(`/v1/dead-letters/${letterId}/discard`, why),
    ]);
    const lost = answers.filter(({ status }) => status === 409);
    expect(lost).toHaveLength(2);
    for (const { body } of lost) {
      expect(body.type).toBe("/problems#letter-settled");
      expect(body.detail).toMatch(/was (replayed|discarded) by api-key:test at 20.*tax table/);
    }
    const runs = await t.database.kysely
      .selectFrom("jobRuns")
      .select("id")
      .where("replayOf", "=", letterId)
      .execute();
    expect(runs).toHaveLength(answers[2]?.status === 204 ? 0 : 1);
  }
});

test("a discarded letter stays, with its reason, and is not replayed any more", async () => {
  await using t = await setup();
  const { letterId } = await deadPdf(t);
  await t.api.post(`/v1/dead-letters/${letterId}/discard`, why).expect(204);
  expect(await letter(t, letterId)).toMatchObject({
    state: "discarded",
    settled: { by: "api-key:test", reason: why.reason, requestId: null },
  });
  expect((await replay(t, letterId)).status).toBe(409);
});

test("triage needs a reason and the scope operate, and the refusal names what is missing", async () => {
  await using t = await setup();
  const { letterId } = await deadPdf(t);
  expect(await replay(t, letterId, {})).toMatchObject({
    status: 422,
    body: { errors: [{ path: "reason", message: "is missing" }] },
  });
  const reader = t.as(await t.keyFor(null, ["read", "write"]));
  expect(await reader.post(`/v1/dead-letters/${letterId}/replay`, why)).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('"operate"') },
  });
});

test("one company neither sees nor touches another's letters, nor finds its place by them", async () => {
  await using t = await setup();
  const { letterId } = await deadPdf(t);
  const own = await deadPdf(t);
  const as = t.as(await t.keyFor(own.companyId));

  expect((await as.get("/v1/dead-letters")).body.deadLetters).toMatchObject([
    { letterId: own.letterId },
  ]);
  expect((await as.get(`/v1/dead-letters?cursor=${letterId}`)).body.deadLetters).toEqual([]);
  for (const what of ["replay", "discard"])
    expect((await as.post(`/v1/dead-letters/${letterId}/${what}`, why)).status).toBe(404);
  expect((await as.post(`/v1/dead-letters/${own.letterId}/replay`, why)).status).toBe(202);
});
