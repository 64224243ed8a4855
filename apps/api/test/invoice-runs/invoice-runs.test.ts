import { randomUUID } from "node:crypto";
import { BULK_PRIORITY } from "@ballast/contracts";
import { expect, onTestFinished, test } from "vitest";
import { startInvoiceRuns } from "../../src/invoice-runs/driver.ts";
import { openEvents } from "../event-stream.ts";
import { die, rendered } from "../letters.ts";
import { type Api, setup } from "../setup.ts";

/** A company with issued invoices, all of one customer. */
async function withInvoices(t: Api, count: number) {
  const { companyId, customerId, draft } = await t.tenant();
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const id = randomUUID();
    await t.api.put(`/v1/invoices/${id}`, draft).expect(201);
    await t.api.post(`/v1/invoices/${id}/issue`).expect(200);
    ids.push(id);
  }
  return { companyId, customerId, draft, ids };
}

const drive = (t: Api) => {
  const { database, requests, dispatcher } = t.deps;
  const driver = startInvoiceRuns({ database, requests, dispatcher, log: t.telemetry.log });
  onTestFinished(() => driver[Symbol.asyncDispose]());
};

const begin = async (t: Api, body: object) =>
  (await t.api.post("/v1/invoice-runs", body).expect(202)).body;

const reach = (t: Api, id: string, wanted: object) =>
  expect
    .poll(async () => (await t.api.get(`/v1/invoice-runs/${id}`)).body, { timeout: 20_000 })
    .toMatchObject(wanted);

const jobsOf = (t: Api, ids: readonly string[]) =>
  t.database.kysely.updateTable("jobRuns").where(
    "subject",
    "in",
    ids.map((id) => `invoice:${id}`),
  );

/** End the jobs of these invoices as a worker would have. */
const endJobs = (t: Api, ids: readonly string[], state: "completed" | "dead") =>
  jobsOf(t, ids)
    .where("state", "in", ["waiting", "started"])
    .set({ state, finishedAt: new Date(), errorCode: state === "dead" ? "no_fonts" : null })
    .execute();

const requestOf = async (t: Api, id: string | undefined, job: string) => {
  const { jobs } = (await t.api.get(`/v1/jobs?subject=invoice:${id}`)).body;
  return jobs.find((one: { job: string }) => one.job === job).requestId as string;
};

/** Let the job of an invoice die in its first attempt, held or not. @returns the letter's id */
async function dieAs(t: Api, id: string | undefined, job: string): Promise<string> {
  const { body } = await t.api.get(`/v1/jobs/${await requestOf(t, id, job)}`);
  const { runId } = body.run ?? body;
  await t.database.kysely
    .updateTable("jobRuns")
    .set({ heldFor: null })
    .where("id", "=", runId)
    .execute();
  return await die(t, runId, { queue: job === "render-invoice" ? "pdf" : "email" });
}

const setEmail = (t: Api, customerId: string, email: string | null) =>
  t.database.kysely.updateTable("customers").set({ email }).where("id", "=", customerId).execute();

test("a run asks for each of its invoices as bulk work, and says what became of them", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 3);
  const run = await begin(t, { companyId, action: "render", filter: {} });
  expect(run).toMatchObject({
    state: "running",
    invoices: 3,
    counts: { pending: 3 },
    summary: null,
  });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 3 } });
  const asked = await t.database.kysely.selectFrom("jobRuns").select(["job", "priority"]).execute();
  expect(asked).toEqual(ids.map(() => ({ job: "render-invoice", priority: BULK_PRIORITY })));

  await endJobs(t, ids.slice(0, 2), "completed");
  await endJobs(t, ids.slice(2), "dead");
  await reach(t, run.invoiceRunId, {
    state: "completed",
    counts: { pending: 0, asked: 0, done: 2, failed: 0, dead: 1, cancelled: 0 },
    secondsLeft: null,
    summary: { causes: [{ code: "no_fonts", count: 1, invoiceId: ids[2] }] },
  });
  const fallen = await t.api.get(`/v1/invoice-runs/${run.invoiceRunId}/invoices?state=dead`);
  expect(fallen.body).toMatchObject({
    items: [{ invoiceId: ids[2], number: expect.any(String), code: "no_fonts" }],
    nextCursor: null,
  });
  expect((await t.api.get("/v1/invoice-runs")).body.invoiceRuns).toHaveLength(1);
});

test("a mailing waits for its document, and one whose document died, or without an address, falls out", async () => {
  await using t = await setup();
  const { companyId, customerId, draft, ids } = await withInvoices(t, 2);
  const run = await begin(t, { companyId, action: "send", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 2 } });
  await jobsOf(t, ids.slice(0, 1))
    .where("job", "=", "render-invoice")
    .set({ state: "dead", finishedAt: new Date(), errorCode: "no_fonts" })
    .execute();
  await reach(t, run.invoiceRunId, { counts: { asked: 1, dead: 1 } });
  await endJobs(t, ids.slice(1), "completed");
  await reach(t, run.invoiceRunId, { state: "completed", counts: { done: 1, dead: 1 } });

  await setEmail(t, customerId, null);
  const id = randomUUID();
  await t.api.put(`/v1/invoices/${id}`, draft).expect(201);
  await t.api.post(`/v1/invoices/${id}/issue`).expect(200);
  const second = await begin(t, { companyId, action: "send", ids: [id] });
  await reach(t, second.invoiceRunId, {
    state: "completed",
    counts: { failed: 1 },
    summary: { causes: [{ code: "no-recipient", count: 1 }] },
  });
  // And with an address it goes out.
  await setEmail(t, customerId, "a@b.example");
  const path = `/v1/invoice-runs/${second.invoiceRunId}`;
  await t.api.post(`${path}/retry`, { reason: "the address is there" }).expect(202);
  await reach(t, second.invoiceRunId, { state: "running", counts: { asked: 1, failed: 0 } });
});

test("what died is replayed when its run is tried again, and its letter is settled", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 1);
  const run = await begin(t, { companyId, action: "render", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 1 } });
  const { jobs } = (await t.api.get(`/v1/jobs?subject=invoice:${ids[0]}`)).body;
  await die(t, jobs[0].runId);
  await reach(t, run.invoiceRunId, { state: "completed", counts: { dead: 1 } });
  const path = `/v1/invoice-runs/${run.invoiceRunId}`;
  await t.api.post(`${path}/retry`, { reason: "fonts are there" }).expect(202);
  await reach(t, run.invoiceRunId, { counts: { asked: 1, dead: 0 } });
  const again = await t.database.kysely
    .selectFrom("jobRuns")
    .select("priority")
    .where("state", "=", "waiting")
    .execute();
  expect(again).toEqual([{ priority: BULK_PRIORITY }]); // people go before it this time too
  const { deadLetters } = (await t.api.get("/v1/dead-letters")).body;
  expect(deadLetters).toMatchObject([{ state: "replayed", subject: `invoice:${ids[0]}` }]);
  await endJobs(t, ids, "completed");
  await reach(t, run.invoiceRunId, { state: "completed", counts: { done: 1 } });
  await t.api.post(`${path}/retry`, { reason: "once more" }).expect(409);
});

test("what died and cannot be replayed as it is fails by that name, and nothing of it is replayed", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 2);
  const run = await begin(t, { companyId, action: "send", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 2 } });
  const letters = await Promise.all([
    dieAs(t, ids[0], "render-invoice"),
    dieAs(t, ids[0], "send-invoice"),
  ]);
  await reach(t, run.invoiceRunId, { counts: { asked: 1, dead: 1 } });
  await t.database.kysely
    .updateTable("deadLetters")
    .set({ version: 99 })
    .where("runId", "=", letters[1])
    .execute();
  await endJobs(t, ids.slice(1), "completed");
  await reach(t, run.invoiceRunId, { state: "completed" });
  const path = `/v1/invoice-runs/${run.invoiceRunId}`;
  await t.api.post(`${path}/retry`, { reason: "fonts are there" }).expect(202);
  await reach(t, run.invoiceRunId, {
    state: "completed",
    counts: { done: 1, failed: 1 },
    summary: { causes: [{ code: "not-replayable", count: 1, invoiceId: ids[0] }] },
  });
  const { deadLetters } = (await t.api.get("/v1/dead-letters?state=open")).body;
  expect(deadLetters).toHaveLength(2);
});

test("a mail whose document was cancelled, or whose letter discarded, gets a new one when it is asked for again", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 2);
  const run = await begin(t, { companyId, action: "send", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 2 } });
  const cancelled = await requestOf(t, ids[0], "render-invoice");
  await t.api.delete(`/v1/jobs/${cancelled}`).expect(200);
  const letterId = await dieAs(t, ids[1], "render-invoice");
  await t.api.post(`/v1/dead-letters/${letterId}/discard`, { reason: "a test" }).expect(204);
  await reach(t, run.invoiceRunId, {
    state: "completed",
    counts: { failed: 1, dead: 1 },
  });

  await t.api.post(`/v1/invoice-runs/${run.invoiceRunId}/retry`, { reason: "now" }).expect(202);
  await reach(t, run.invoiceRunId, { counts: { asked: 2 } });
  const rendering = () =>
    jobsOf(t, ids)
      .where("job", "=", "render-invoice")
      .where("state", "=", "waiting")
      .set({ state: "completed", finishedAt: new Date() })
      .returning("subject")
      .execute();
  expect(await rendering()).toHaveLength(2);

  // Its document is there, but nobody lets it go, as when the worker was killed in between.
  await rendered(t, { companyId, invoiceId: ids[0] ?? "" });
  for (const id of ids) await t.api.post(`/v1/invoices/${id}/send`).expect(202);
  for (const id of ids) await t.api.post(`/v1/invoices/${id}/send`).expect(202);
  const mails = await t.database.kysely
    .selectFrom("jobRuns")
    .select(["subject", "heldFor"])
    .where("job", "=", "send-invoice")
    .execute();
  expect(mails.filter(({ heldFor }) => heldFor === null)).toEqual([
    { subject: `invoice:${ids[0]}`, heldFor: null },
  ]);
  const { jobs } = (await t.api.get(`/v1/jobs?subject=invoice:${ids[1]}`)).body;
  expect(jobs.filter((job: { job: string }) => job.job === "render-invoice")).toHaveLength(3);
});

test("a run that is cancelled takes back what no worker has, and is over once the rest has ended", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 3);
  const run = await begin(t, { companyId, action: "render", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 3 } });
  const running = jobsOf(t, ids.slice(0, 1));
  await running.set({ state: "started", startedAt: new Date() }).execute();
  const path = `/v1/invoice-runs/${run.invoiceRunId}`;
  const cancelled = await t.api.post(`${path}/cancel`, { reason: "the wrong month" }).expect(202);
  expect(cancelled.body).toMatchObject({ state: "cancelling", counts: { asked: 1, cancelled: 2 } });
  await t.api.post(`${path}/cancel`, { reason: "again" }).expect(409);
  await running.set({ state: "completed", finishedAt: new Date() }).execute();
  await reach(t, run.invoiceRunId, { state: "cancelled", counts: { done: 1, cancelled: 2 } });
});

test("somebody who asks for one invoice of a run puts it among the urgent, its mail too", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 2);
  const run = await begin(t, { companyId, action: "send", ids });
  drive(t);
  await reach(t, run.invoiceRunId, { counts: { asked: 2 } });
  const repeated = await t.api.post(`/v1/invoices/${ids[0]}/send`).expect(202);
  expect(repeated.body.repeated).toBe(true);
  await t.api.post(`/v1/invoices/${ids[1]}/pdf`).expect(202);
  const priorities = await t.database.kysely
    .selectFrom("jobRuns")
    .select(["job", "subject", "priority"])
    .execute();
  const of = (id: string | undefined, job: string) =>
    priorities.find((one) => one.subject === `invoice:${id}` && one.job === job)?.priority;
  expect([of(ids[0], "send-invoice"), of(ids[0], "render-invoice")]).toEqual([0, 0]);
  expect([of(ids[1], "send-invoice"), of(ids[1], "render-invoice")]).toEqual([BULK_PRIORITY, 0]);
});

test("progress is told as it happens, to the end", async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 1);
  const run = await begin(t, { companyId, action: "render", ids });
  using stream = await openEvents(
    `${t.url}/v1/invoice-runs/${run.invoiceRunId}/events`,
    t.adminKey,
  );
  drive(t);
  const states: string[] = [];
  for await (const { event, data } of stream.events) {
    if (event !== "run") continue;
    states.push(data.state);
    if (data.counts.asked === 1) await endJobs(t, ids, "completed");
  }
  expect(states.at(-1)).toBe("completed");
});

test("unknown invoices, drafts, void ones and those of others are named, and nothing is begun", async () => {
  await using t = await setup();
  const { companyId, draft, ids } = await withInvoices(t, 2);
  const other = await t.issued();
  const [draftId, unknownId] = [randomUUID(), randomUUID()];
  await t.api.put(`/v1/invoices/${draftId}`, draft).expect(201);
  await t.api.post(`/v1/invoices/${ids[1]}/void`).expect(200);
  const refused = await t.api
    .post("/v1/invoice-runs", {
      companyId,
      action: "render",
      ids: [ids[0], draftId, unknownId, ids[1], other.invoiceId],
    })
    .expect(422);
  expect(refused.body.errors).toEqual([
    { path: "ids.1", message: `${draftId} is a draft: issue it first` },
    { path: "ids.2", message: `${unknownId} is unknown` },
    { path: "ids.3", message: `${ids[1]} is void` },
    { path: "ids.4", message: `${other.invoiceId} is unknown` },
  ]);
  expect((await t.api.get("/v1/invoice-runs")).body.invoiceRuns).toEqual([]);

  const run = async (body: object) => await t.api.post("/v1/invoice-runs", { companyId, ...body });
  const many = Array.from({ length: 50_001 }, () => unknownId);
  expect(await run({ action: "render", ids: many })).toMatchObject({ status: 422 });
  expect(await run({ action: "render", ids, filter: {} })).toMatchObject({ status: 422 });
  expect(await run({ action: "render" })).toMatchObject({ status: 422 });
  expect(await run({ action: "print", ids })).toMatchObject({ status: 422 });
  const nothing = await run({ action: "render", filter: { issuedFrom: "2999-01-01" } });
  expect(nothing).toMatchObject({ status: 200, body: { invoices: 0 } });
});

test("10,000 invoices are accepted in under two seconds", { timeout: 120_000 }, async () => {
  await using t = await setup();
  const { companyId, ids } = await withInvoices(t, 1);
  const kysely = t.database.kysely;
  const { issuedSnapshot, ...invoice } = await kysely
    .selectFrom("invoices")
    .selectAll()
    .where("id", "=", ids[0] ?? "")
    .executeTakeFirstOrThrow();
  const copies = (n: number) => ({
    ...invoice,
    id: randomUUID(),
    number: `N-${n}`,
    issuedSnapshot: JSON.stringify(issuedSnapshot) as never,
  });
  for (let n = 0; n < 9_999; n += 1_111)
    await kysely
      .insertInto("invoices")
      .values(Array.from({ length: 1_111 }, (_, index) => copies(n + index)))
      .execute();
  const began = performance.now();
  const run = await begin(t, { companyId, action: "send", filter: {} });
  const ms = performance.now() - began;
  expect(run.invoices).toBe(10_000);
  expect(ms).toBeLessThan(2_000);
});
