import { keepHistory } from "@ballast/database";
import { expect, test, vi } from "vitest";
import { deadPdf, rendered, uncertainMail } from "./letters.ts";
import { setup } from "./setup.ts";

vi.setConfig({ testTimeout: 60_000 });

interface Entry {
  readonly at: string;
  readonly kind: string;
  readonly event: string;
}

test("an invoice's timeline tells all that happened to it, in the order of time", async () => {
  await using t = await setup();
  const { invoiceId, letterId, deliveryId, companyId } = await uncertainMail(t);
  await t.api
    .post(`/v1/deliveries/${deliveryId}/settle`, { outcome: "sent", reason: "it is there" })
    .expect(200);
  await deadPdf(t); // another invoice's

  const as = t.as(await t.keyFor(companyId));
  const { body } = await as.get(`/v1/invoices/${invoiceId}/timeline`).expect(200);
  const entries: Entry[] = body.entries;
  expect(body).toMatchObject({ invoiceId, isComplete: true });
  expect(new Set(entries.map(({ kind, event }) => `${kind} ${event}`))).toEqual(
    new Set([
      "invoice created",
      "invoice issued",
      "document rendered",
      "mail planned",
      "request asked",
      "attempt dead",
      "dead-letter died",
      "mail sent",
      "action settle-delivery",
      "action discard-letter",
    ]),
  );
  const times = entries.map(({ at }) => at);
  expect(times).toEqual(times.toSorted());
  expect(entries.find(({ kind }) => kind === "dead-letter")).toMatchObject({
    id: letterId,
    job: "send-invoice",
    code: "outcome_unknown",
    by: "host:7@1.2.3",
  });
});

test("a timeline goes on in history, and jobs are found by their business key there too", async () => {
  await using t = await setup();
  const { invoiceId, letterId } = await deadPdf(t);
  await rendered(t, {
    invoiceId,
    companyId: (await t.api.get(`/v1/invoices/${invoiceId}`)).body.companyId,
  });

  const before = await t.api.get(`/v1/invoices/${invoiceId}/timeline`).expect(200);
  await keepHistory(t.database, { moveAfterMs: 0, keepMonths: 13 });

  const after = await t.api.get(`/v1/invoices/${invoiceId}/timeline`).expect(200);
  expect(after.body).toEqual(before.body);
  const jobs = await t.api.get(`/v1/jobs?subject=invoice:${invoiceId}`).expect(200);
  expect(jobs.body.jobs).toMatchObject([{ runId: letterId, state: "dead" }]);
  const { body } = await t.api.get(`/v1/dead-letters/${letterId}`).expect(200);
  expect(body.attempts).toMatchObject([{ outcome: "dead" }]);
});

test("what operators did is listed, the latest first, and each company sees its own", async () => {
  await using t = await setup();
  const [mine, others] = [await deadPdf(t), await deadPdf(t)];
  for (const { letterId } of [mine, others])
    await t.api.post(`/v1/dead-letters/${letterId}/discard`, { reason: "test data" }).expect(204);

  const { body } = await t.api.get("/v1/operator-actions").expect(200);
  expect(body.actions).toMatchObject([
    { targetId: others.letterId, action: "discard-letter", reason: "test data" },
    { targetId: mine.letterId },
  ]);
  const as = t.as(await t.keyFor(mine.companyId));
  const own = await as.get("/v1/operator-actions").expect(200);
  expect(own.body.actions).toMatchObject([{ targetId: mine.letterId }]);
});
