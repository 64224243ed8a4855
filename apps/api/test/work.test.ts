import { randomUUID } from "node:crypto";
import {
  claimSending,
  deliveryMessageId,
  listDeliveries,
  recordDocument,
  suppress,
  upsertCustomer,
} from "@ballast/database";
import { expect, test } from "vitest";
import { customerExample } from "../src/routes/examples.ts";
import { type Api, setup } from "./setup.ts";

/** What a pdf-worker leaves behind. */
const render = (t: Api, invoice: { companyId: string; invoiceId: string }) =>
  recordDocument(t.database.kysely, {
    ...invoice,
    revision: 1,
    locale: "de-AT",
    objectKey: `${invoice.invoiceId}.pdf`,
    mailBodyKey: null,
    sha256: "a".repeat(64),
    pageCount: 1,
    sizeBytes: 10,
  });

const jobsOf = async (t: Api, invoiceId: string) =>
  (await t.api.get(`/v1/jobs?subject=invoice:${invoiceId}`)).body.jobs as Array<{ job: string }>;

test("with the queue engine away, a PDF is still asked for at once, and the job says what it waits for", async () => {
  await using t = await setup({ dispatching: true });
  const { invoiceId } = await t.issued();
  const startedAt = performance.now();
  const asked = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  expect(performance.now() - startedAt).toBeLessThan(2_000); // it would wait for ever
  expect(asked.headers.get("location")).toBe(`/v1/jobs/${asked.body.requestId}`);
  expect(asked.body).toMatchObject({ job: "render-invoice", joined: false });

  const job = await t.api.get(asked.headers.get("location") ?? "").expect(200);
  expect(job.body).toMatchObject({
    state: "waiting",
    subject: `invoice:${invoiceId}`,
    requestedBy: "api-key:test",
    attempts: [],
    waits: { code: "engine_unreachable" },
  });
});

test("wishes for one PDF share a run, and the second says that it joined", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const first = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  const second = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  expect(second.body).toMatchObject({ runId: first.body.runId, joined: true });
  expect(second.body.requestId).not.toBe(first.body.requestId);
});

test("a mail without its PDF is held and asks for the PDF in the same breath", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const asked = await t.api.post(`/v1/invoices/${invoiceId}/send`).expect(202);
  expect(asked.body).toMatchObject({
    job: "send-invoice",
    repeated: false,
    mail: { ordinal: 1, recipient: "buchhaltung@mueller.example", state: "planned" },
  });
  const jobs = await jobsOf(t, invoiceId);
  expect(jobs.map(({ job }) => job).sort()).toEqual(["render-invoice", "send-invoice"]);
  const job = await t.api.get(`/v1/jobs/${asked.body.requestId}`);
  expect(job.body.waits).toMatchObject({
    code: "held",
    message: expect.stringContaining(invoiceId),
  });
});

test("a mail whose PDF is there is not held and asks for nothing else", async () => {
  await using t = await setup();
  const { companyId, invoiceId } = await t.issued();
  await render(t, { companyId, invoiceId });
  const asked = await t.api.post(`/v1/invoices/${invoiceId}/send`).expect(202);
  expect((await jobsOf(t, invoiceId)).map(({ job }) => job)).toEqual(["send-invoice"]);
  const job = await t.api.get(`/v1/jobs/${asked.body.requestId}`);
  expect(job.body.waits.code).toBe("engine_unreachable");
});

test("asking for the mail again answers with the first request, also after the customer's address changed", async () => {
  await using t = await setup();
  const { companyId, customerId, invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  const first = await t.api.post(path).expect(202);
  const customer = (await t.api.get(`/v1/customers/${customerId}`)).body;
  await upsertCustomer(t.database.kysely, { ...customer, companyId, email: "new@mueller.example" });

  const again = await t.api.post(path, {}).expect(202);
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect(again.body).toMatchObject({ repeated: true, mail: first.body.mail });
});

test("20 clicks on send at once plan one mail and one request", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const all = await Promise.all(
    Array.from({ length: 20 }, () => t.api.post(`/v1/invoices/${invoiceId}/send`)),
  );
  expect(new Set(all.map(({ headers }) => headers.get("location"))).size).toBe(1);
  expect(all.filter(({ body }) => body.repeated === false)).toHaveLength(1);
});

test("a resend with a reason takes the next ordinal, and one without is refused", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  const first = await t.api.post(path).expect(202);
  expect(await t.api.post(path, { resend: true })).toMatchObject({
    status: 422,
    body: { errors: [{ path: "reason" }] },
  });
  const second = await t.api.post(path, { resend: true, reason: "lost" }).expect(202);
  const third = await t.api.post(path, { resend: true, reason: "lost again" }).expect(202);
  expect([second.body.mail.ordinal, third.body.mail.ordinal]).toEqual([2, 3]);
  expect(new Set([first, second, third].map(({ body }) => body.runId)).size).toBe(3);
});

test("a first mail that was cancelled before it went can be asked for anew", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  const first = await t.api.post(path).expect(202);
  await t.api.delete(`/v1/jobs/${first.body.requestId}`).expect(200);
  const again = await t.api.post(path).expect(202);
  expect(again.body).toMatchObject({ repeated: false, mail: first.body.mail });
  expect(again.body.requestId).not.toBe(first.body.requestId);
});

test("a first mail that was cancelled goes, asked for anew, to the address the customer has now", async () => {
  await using t = await setup();
  const { companyId, customerId, invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  const first = await t.api.post(path).expect(202);
  await t.api.delete(`/v1/jobs/${first.body.requestId}`).expect(200);
  const moved = { ...customerExample, companyId, email: "right@mueller.example" };
  await t.api.put(`/v1/customers/${customerId}`, moved).expect(200);

  await suppress(t.database.kysely, companyId, moved.email, "complained");
  await t.api.post(path).expect(409);
  await t.api.delete(`/v1/customers/${customerId}/suppression`).expect(204);
  const again = await t.api.post(path).expect(202);
  expect(again.body.mail).toMatchObject({ recipient: moved.email, ordinal: 1, state: "planned" });
  const deliveries = await listDeliveries(t.database.kysely, companyId, invoiceId);
  expect(deliveries).toHaveLength(1);
  expect(deliveries[0]?.messageId).toBe(
    deliveryMessageId(
      { ...again.body.mail, companyId, invoiceId, revision: 1, purpose: "invoice" },
      "nordlicht.example",
    ),
  );
});

test("a first mail that a worker has touched, or may, keeps its address", async () => {
  await using t = await setup();
  for (const change of ["running", "claimed"]) {
    const { companyId, customerId, invoiceId } = await t.issued();
    const path = `/v1/invoices/${invoiceId}/send`;
    const { body } = await t.api.post(path).expect(202);
    const kysely = t.database.kysely;
    if (change === "running")
      await kysely
        .updateTable("jobRuns")
        .set({ state: "started", runningAttemptId: randomUUID() })
        .where("id", "=", body.runId)
        .execute();
    else await claimSending(kysely, body.mail.deliveryId, 60_000);
    await t.api.delete(`/v1/jobs/${body.requestId}`);
    const moved = { ...customerExample, companyId, email: "right@mueller.example" };
    await t.api.put(`/v1/customers/${customerId}`, moved).expect(200);
    const again = await t.api.post(path).expect(202);
    expect(again.body.mail.recipient, change).toBe(customerExample.email);
  }
});

test("a customer without an address, or with a suppressed one, is named with the way out", async () => {
  await using t = await setup();
  const { companyId, customerId, invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  const {
    createdAt: _,
    updatedAt: __,
    id: ___,
    ...facts
  } = (await t.api.get(`/v1/customers/${customerId}`)).body;

  await suppress(t.database.kysely, companyId, facts.email.toUpperCase(), "bounced: no such user");
  const suppressed = await t.api.post(path);
  expect(suppressed).toMatchObject({
    status: 409,
    body: {
      type: "/problems#recipient-suppressed",
      detail: expect.stringContaining("no such user"),
    },
  });
  expect(suppressed.text).not.toContain(facts.email);
  await t.api.delete(`/v1/customers/${customerId}/suppression`).expect(204);

  await t.api.put(`/v1/customers/${customerId}`, { ...facts, email: null }).expect(200);
  expect(await t.api.post(path)).toMatchObject({
    status: 409,
    body: { type: "/problems#no-recipient", detail: expect.stringContaining(customerId) },
  });
  expect(await jobsOf(t, invoiceId)).toEqual([]);
  await t.api.put(`/v1/customers/${customerId}`, facts).expect(200);
  await t.api.post(path).expect(202);
});

test("a void invoice is not mailed, a paid one is", async () => {
  await using t = await setup();
  const [gone, paid] = [await t.issued(), await t.issued()];
  await t.api.post(`/v1/invoices/${gone.invoiceId}/void`).expect(200);
  await t.api.post(`/v1/invoices/${paid.invoiceId}/pay`).expect(200);
  await t.api.post(`/v1/invoices/${gone.invoiceId}/send`).expect(409);
  await t.api.post(`/v1/invoices/${paid.invoiceId}/send`).expect(202);
});

test("a void invoice is not rendered any more, but its document is still answered with", async () => {
  await using t = await setup();
  const invoice = await t.issued();
  const path = `/v1/invoices/${invoice.invoiceId}`;
  await t.api.post(`${path}/void`).expect(200);
  expect(await t.api.post(`${path}/pdf`)).toMatchObject({
    status: 409,
    body: { type: "/problems#invoice-state", detail: expect.stringContaining("is void") },
  });
  await render(t, { companyId: invoice.companyId, invoiceId: invoice.invoiceId });
  await t.api.post(`${path}/pdf`).expect(202);
});

test("who left a run is out of it for good, also when the others cancel later", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const ask = async () => (await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202)).body;
  const [first, second] = [await ask(), await ask()];
  await t.database.kysely
    .updateTable("jobRuns")
    .set({ state: "started", runningAttemptId: randomUUID() })
    .where("id", "=", first.runId)
    .execute();
  const state = async () => (await t.api.get(`/v1/jobs/${first.requestId}`)).body.state;
  await t.api.delete(`/v1/jobs/${first.requestId}`).expect(200);
  expect(await state()).toBe("cancelled");
  await t.api.delete(`/v1/jobs/${second.requestId}`).expect(202);
  expect(await state()).toBe("cancelled");
});

test("jobs are listed newest first, by subject, queue, state and time, page by page", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const other = await t.issued();
  const ids: string[] = [];
  for (const id of [invoiceId, other.invoiceId, invoiceId])
    ids.unshift((await t.api.post(`/v1/invoices/${id}/pdf`)).body.requestId);
  const list = async (query: string) => {
    const { body } = await t.api.get(`/v1/jobs?${query}`).expect(200);
    return {
      ids: body.jobs.map((job: { requestId: string }) => job.requestId),
      next: body.nextCursor,
    };
  };
  const first = await list("limit=2");
  expect(first.ids).toEqual(ids.slice(0, 2));
  expect(await list(`limit=2&cursor=${first.next}`)).toEqual({ ids: ids.slice(2), next: null });
  expect((await list(`subject=invoice:${other.invoiceId}`)).ids).toEqual([ids[1]]);
  expect((await list("queue=email")).ids).toEqual([]);
  expect((await list("state=completed")).ids).toEqual([]);
  expect((await list(`since=${new Date(Date.now() + 60_000).toISOString()}`)).ids).toEqual([]);
});

test("an unknown job answers 404 to all that can be asked of it", async () => {
  await using t = await setup();
  const path = `/v1/jobs/${randomUUID()}`;
  expect((await t.api.get(path)).status).toBe(404);
  expect((await t.api.get(`${path}/events`)).status).toBe(404);
  expect((await t.api.delete(path)).status).toBe(404);
});
