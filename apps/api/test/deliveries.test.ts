import { claimSending, findDelivery, markSent, markUnknown, planDelivery } from "@ballast/database";
import { expect, test, vi } from "vitest";
import { uncertainMail } from "./letters.ts";
import { type Api, setup } from "./setup.ts";

vi.setConfig({ testTimeout: 60_000 });

const settle = (t: Api, deliveryId: string, outcome: string) =>
  t.api.post(`/v1/deliveries/${deliveryId}/settle`, { outcome, reason: "asked the customer" });
const letter = async (t: Api, letterId: string) =>
  (await t.api.get(`/v1/dead-letters/${letterId}`).expect(200)).body;

test("mails whose outcome is unknown are listed, also of a sender that stopped without a word", async () => {
  await using t = await setup();
  const unknown = await uncertainMail(t);
  const silent = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${silent.invoiceId}/send`).expect(202);
  await claimSending(t.database.kysely, body.mail.deliveryId, 60_000);
  const ids = async (state: string) =>
    (await t.api.get(`/v1/deliveries?state=${state}`).expect(200)).body.deliveries.map(
      (one: { deliveryId: string }) => one.deliveryId,
    );
  expect(await ids("unknown")).toEqual([unknown.deliveryId]);
  expect(await ids("sending")).toEqual([body.mail.deliveryId]);

  await t.database.kysely
    .updateTable("emailDeliveries")
    .set({ leaseUntil: new Date(Date.now() - 1_000) })
    .where("id", "=", body.mail.deliveryId)
    .execute();
  expect(await ids("unknown")).toEqual([body.mail.deliveryId, unknown.deliveryId]);
  expect(await ids("sending")).toEqual([]);
  expect((await settle(t, body.mail.deliveryId, "sent").expect(200)).body.delivery.state).toBe(
    "sent",
  );
});

test("a letter whose mail is unknown says that a replay would die of it, and what to do first, whatever reminders went out", async () => {
  await using t = await setup();
  const { letterId, deliveryId, companyId, invoiceId } = await uncertainMail(t);
  const db = t.database.kysely;
  const reminder = await planDelivery(db, {
    companyId,
    invoiceId,
    revision: 1,
    purpose: "reminder-after:2026-01-01",
    ordinal: 1,
    recipient: "a@b.example",
    reason: null,
    fromDomain: "b.example",
  });
  await db
    .updateTable("emailDeliveries")
    .set({ state: "sent", sentAt: new Date(), createdAt: new Date(0) })
    .where("id", "=", reminder.id)
    .execute();
  expect((await letter(t, letterId)).actions[0].explanation).toContain(
    `/v1/deliveries/${deliveryId}/settle`,
  );
});

test("a mail that arrived is sent for good, and its letter needs nothing more", async () => {
  await using t = await setup();
  const { deliveryId, letterId, fence } = await uncertainMail(t);
  const { body } = await settle(t, deliveryId, "sent").expect(200);
  expect(body).toMatchObject({
    delivery: { state: "sent", sentAt: expect.any(String), error: null },
    letters: [{ letterId, state: "discarded" }],
    requestId: null,
  });
  expect(await letter(t, letterId)).toMatchObject({
    state: "discarded",
    settled: { by: "api-key:test", reason: "its mail arrived: asked the customer" },
  });
  expect((await claimSending(t.database.kysely, deliveryId, 1_000)).kind).toBe("sent");
  const late = await markSent(t.database.kysely, deliveryId, fence, { response: "250 late" });
  expect(late).toBe(false);
});

test("a mail that did not arrive may be sent, under its Message-ID, by the replay of its letter", async () => {
  await using t = await setup();
  const { deliveryId, letterId, companyId } = await uncertainMail(t);
  const before = await findDelivery(t.database.kysely, companyId, deliveryId);
  const { body } = await settle(t, deliveryId, "not-sent").expect(200);
  expect(body).toMatchObject({
    delivery: { state: "planned", messageId: before?.messageId },
    letters: [{ letterId, state: "replayed" }],
  });
  expect((await t.api.get(`/v1/jobs/${body.requestId}`)).body).toMatchObject({
    job: "send-invoice",
    origin: "replay",
    state: "waiting",
  });
  expect((await claimSending(t.database.kysely, deliveryId, 1_000)).kind).toBe("claimed");
});

test("a mail that did not arrive is sent, though its letter was discarded before", async () => {
  await using t = await setup();
  const { deliveryId, letterId } = await uncertainMail(t);
  await t.api.post(`/v1/dead-letters/${letterId}/discard`, { reason: "too soon" }).expect(204);
  const { body } = await settle(t, deliveryId, "not-sent").expect(200);
  expect(body.letters).toEqual([]);
  expect((await t.api.get(`/v1/jobs/${body.requestId}`)).body.job).toBe("send-invoice");
});

test("a reminder that did not arrive is asked for as that reminder, and as no other mail", async () => {
  await using t = await setup();
  const { companyId, invoiceId } = await t.issued();
  const db = t.database.kysely;
  const { id } = await planDelivery(db, {
    ...{ companyId, invoiceId, revision: 1, ordinal: 1, reason: null, fromDomain: "a.example" },
    purpose: "reminder-before:2027-01-15",
    recipient: "buyer@b.example",
  });
  const claim = await claimSending(db, id, 60_000);
  if (claim.kind !== "claimed") throw new Error(`not claimed: ${claim.kind}`);
  await markUnknown(db, id, claim.fence, { code: "outcome_unknown", message: "cut" });

  const { body } = await settle(t, id, "not-sent").expect(200);
  const run = await t.database.kysely
    .selectFrom("jobRequests")
    .innerJoin("jobRuns", "jobRuns.id", "jobRequests.runId")
    .select(["job", "payload"])
    .where("jobRequests.id", "=", body.requestId)
    .executeTakeFirst();
  expect(run).toEqual({
    job: "payment-reminder",
    payload: { invoiceId, step: "before", dueDate: "2027-01-15" },
  });
});

test("a mail is settled once: the second operator is told what the first one found out", async () => {
  await using t = await setup();
  const { deliveryId, companyId } = await uncertainMail(t);
  const answers = await Promise.all([
    settle(t, deliveryId, "not-sent"),
    settle(t, deliveryId, "not-sent"),
  ]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const refused = answers.find(({ status }) => status === 409);
  expect(refused?.body.detail).toMatch(/is planned; api-key:test settled it at 20.*customer/);

  const { body } = await t.api.get(`/v1/operator-actions?targetId=${deliveryId}`).expect(200);
  expect(body.actions).toMatchObject([
    {
      action: "settle-delivery",
      actor: "api-key:test",
      companyId,
      before: { state: "unknown" },
      after: { state: "planned" },
    },
  ]);
});

test("a mail that is no question is not settled", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const { body } = await t.api.post(`/v1/invoices/${invoiceId}/send`).expect(202);
  expect(await settle(t, body.mail.deliveryId, "not-sent")).toMatchObject({
    status: 409,
    body: { type: "/problems#delivery-settled" },
  });
});
