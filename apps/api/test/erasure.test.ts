import { keepHistory, recordAction, suppress } from "@ballast/database";
import { expect, test, vi } from "vitest";
import { customerExample } from "../src/routes/examples.ts";
import { begin, deadForeigner, die, end, foreigner, rendered, uncertainMail } from "./letters.ts";
import { type Api, setup } from "./setup.ts";

vi.setConfig({ testTimeout: 60_000 });

const { email, name } = customerExample;
const reason = "asked for by letter";
const erase = (t: Api, customerId: string) =>
  t.api.post(`/v1/customers/${customerId}/erase`, { reason });
const pay = (t: Api, invoiceId: string) => t.api.post(`/v1/invoices/${invoiceId}/pay`).expect(200);

/** Every row of every table, as text in small letters. */
async function everything({ database: { kysely } }: Api): Promise<string> {
  const tables = await kysely.introspection.getTables();
  const rows = await Promise.all(
    tables
      .filter(({ isView }) => !isView)
      .map((table) =>
        kysely
          .selectFrom(table.name as never)
          .selectAll()
          .execute(),
      ),
  );
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
  return JSON.stringify(rows, plain).toLowerCase();
}

/** What a mail server says about a recipient, in all that is kept of a dead run. */
async function quote({ database: { kysely } }: Api, letterId: string, words: string) {
  await kysely
    .updateTable("deadLetters")
    .set({ message: words, stack: words })
    .where("runId", "=", letterId)
    .execute();
  await kysely
    .updateTable("jobRuns")
    .set({ errorMessage: words, result: JSON.stringify({ response: words }) })
    .where("id", "=", letterId)
    .execute();
  await kysely
    .updateTable("jobAttempts")
    .set({ message: words, stack: words })
    .where("runId", "=", letterId)
    .execute();
}

test("an erased customer is found nowhere but on issued invoices, and the audit says what was done", async () => {
  await using t = await setup();
  const db = t.database.kysely;
  const { customerId, companyId, invoiceId, letterId, deliveryId, draft } = await uncertainMail(t);
  // They had another address then, and none of it is ASCII.
  await db
    .updateTable("emailDeliveries")
    .set({ recipient: "Büro@müller.example" })
    .where("id", "=", deliveryId)
    .execute();
  await quote(t, letterId, "550 <büro@MÜLLER.example> unknown here");
  const foreign = { companyId, payload: { to: email.toUpperCase() } };
  const past = await deadForeigner(t, foreign);
  await keepHistory(t.database, { moveAfterMs: 0, keepMonths: 1 });
  const recent = await deadForeigner(t, foreign);
  const neighbour = `${email}.au`;
  const similar = await deadForeigner(t, { companyId, payload: { to: neighbour } });

  const secondId = crypto.randomUUID();
  await t.api.put(`/v1/invoices/${secondId}`, draft).expect(201);
  await t.api.post(`/v1/invoices/${secondId}/issue`).expect(200);
  await rendered(t, { companyId, invoiceId: secondId });
  const once = { "Idempotency-Key": "once" };
  const { body: sent } = await t.api
    .post(`/v1/invoices/${secondId}/send`, undefined, once)
    .expect(202);
  await die(t, sent.runId, { queue: "email" });
  await quote(t, sent.runId, `550 <${email}> unknown here`);
  const draftId = crypto.randomUUID();
  await t.api.put(`/v1/invoices/${draftId}`, draft).expect(201);
  await suppress(db, companyId, email, "it bounced");
  await t.database.transaction((tx) =>
    recordAction(tx, {
      actor: "api-key:ops",
      action: "replay-letter",
      targetKind: "dead-letter",
      targetId: recent,
      companyId,
      subject: null,
      reason: null,
      before: { payload: { to: email } },
      after: null,
    }),
  );
  for (const id of [invoiceId, secondId]) await pay(t, id);

  const { body } = await erase(t, customerId).expect(200);

  expect(body).toEqual({
    customerId,
    invoicesKept: 2,
    draftsDeleted: 1,
    mailsErased: 2,
    lettersErased: 4,
    jobsCancelled: expect.any(Number),
  });
  const left = await everything(t);
  expect(left.replaceAll(neighbour.toLowerCase(), "")).not.toContain(email.toLowerCase());
  expect(left).not.toContain("müller.example");
  // The name and the tax number are what an invoice has to show, and stand there alone.
  const invoices = await db.selectFrom("invoices").select("issuedSnapshot").execute();
  expect(invoices.map((row) => row.issuedSnapshot?.customer)).toMatchObject([
    { name, email: null },
    { name, email: null },
  ]);
  expect(left.split(name.toLowerCase())).toHaveLength(1 + invoices.length);
  expect((await t.api.get(`/v1/customers/${customerId}`).expect(200)).body).toMatchObject({
    name: "[erased]",
    email: null,
    taxId: null,
  });
  expect((await t.api.get(`/v1/dead-letters/${letterId}`).expect(200)).body).toMatchObject({
    state: "discarded",
    error: { code: "outcome_unknown", message: "[erased]" },
  });
  for (const id of [past, recent])
    expect((await t.api.get(`/v1/dead-letters/${id}`).expect(200)).body).toMatchObject({
      state: "discarded",
      data: { to: "[erased]" },
    });
  expect((await t.api.get(`/v1/dead-letters/${similar}`).expect(200)).body).toMatchObject({
    state: "open",
    data: { to: neighbour },
  });
  const audit = await t.api.get(`/v1/operator-actions?targetKind=customer&targetId=${customerId}`);
  expect(audit.body.actions).toMatchObject([
    {
      action: "erase-customer",
      actor: "api-key:test",
      reason,
      before: null,
      after: { mailsErased: 2 },
    },
  ]);

  expect((await erase(t, customerId).expect(200)).body).toMatchObject({
    mailsErased: 0,
    draftsDeleted: 0,
  });
});

test("a customer who owes something, or whose mail is on its way, is not erased, and it is said why", async () => {
  await using t = await setup();
  const invoice = await t.issued();
  await rendered(t, invoice);
  const asked = await t.api.post(`/v1/invoices/${invoice.invoiceId}/send`).expect(202);
  const { number } = (await t.api.get(`/v1/invoices/${invoice.invoiceId}`).expect(200)).body;
  const owes = await erase(t, invoice.customerId).expect(409);
  expect(owes.body).toMatchObject({
    type: "/problems#customer-in-use",
    detail: expect.stringContaining(`${number} are not paid`),
  });

  await pay(t, invoice.invoiceId);
  const attemptId = await begin(t, asked.body.runId, "email");
  const busy = await erase(t, invoice.customerId).expect(409);
  expect(busy.body.detail).toContain("job send-invoice is being worked on");
  await end(t, asked.body.runId, attemptId);
  const { runId } = await foreigner(t, { companyId: invoice.companyId, payload: { to: email } });
  const named = await erase(t, invoice.customerId).expect(409);
  expect(named.body.detail).toContain(
    `is not over: ask again when it is, or cancel it (run ${runId})`,
  );
  expect((await t.api.get(`/v1/customers/${invoice.customerId}`)).body.email).toBe(email);
});

test("what still waited for an erased customer is taken back, and no mail leaves", async () => {
  await using t = await setup();
  const invoice = await t.issued();
  const asked = await t.api.post(`/v1/invoices/${invoice.invoiceId}/send`).expect(202);
  await pay(t, invoice.invoiceId);
  // Another company's job claims to be about the invoice, and is at work.
  await foreigner(t, {
    companyId: crypto.randomUUID(),
    subject: `invoice:${invoice.invoiceId}`,
  });
  expect((await erase(t, invoice.customerId).expect(200)).body.jobsCancelled).toBeGreaterThan(0);
  expect((await t.api.get(`/v1/jobs/${asked.body.requestId}`)).body.state).toBe("cancelled");
  const [mail] = (await t.api.get(`/v1/deliveries?invoiceId=${invoice.invoiceId}`)).body.deliveries;
  expect(mail).toMatchObject({ state: "suppressed", recipient: expect.not.stringContaining("@") });
});
