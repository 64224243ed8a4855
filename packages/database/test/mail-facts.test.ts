import { randomUUID } from "node:crypto";
import { createTestDatabase, seedIssuedInvoice } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import {
  claimSending,
  findMailFacts,
  markSent,
  planDelivery,
  recordDocument,
  suppress,
  type WantedMail,
} from "../src/index.ts";

async function setup() {
  const database = await createTestDatabase();
  const { invoice, company, customer } = await seedIssuedInvoice(database.db);
  const { companyId, id: invoiceId } = invoice;
  const db = database.db.kysely;
  const wanted: WantedMail = { invoiceId, revision: 1, purpose: "invoice", ordinal: 1 };
  return {
    database: database.db,
    db,
    company,
    customer,
    wanted,
    facts: async (change: Partial<WantedMail> = {}) =>
      (await findMailFacts(db, [{ ...wanted, ...change }]))[0],
    plan: (recipient: string, ordinal = 1) =>
      planDelivery(db, {
        ...{ companyId, invoiceId, revision: 1, purpose: "invoice", recipient, ordinal },
        reason: null,
        fromDomain: "werft.example",
      }),
    render: (locale: string) =>
      recordDocument(db, {
        ...{ companyId, invoiceId, revision: 1, locale, objectKey: `${locale}.pdf` },
        ...{ mailBodyKey: null, sha256: "0".repeat(64), pageCount: 1, sizeBytes: 7 },
      }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("facts of many mails come in their order, each of its own mail", async () => {
  await using t = await setup();
  await t.render("de-DE");
  const { id } = await t.plan("b@kundin.example", 2);

  const [none, second, english, first] = await findMailFacts(t.db, [
    { ...t.wanted, invoiceId: randomUUID() },
    { ...t.wanted, ordinal: 2, locale: "de-DE" },
    { ...t.wanted, locale: "en-GB" },
    { ...t.wanted, locale: "de-DE" },
  ]);

  expect(none).toBeUndefined();
  expect(second?.delivery).toMatchObject({ id, state: "planned", recipient: "b@kundin.example" });
  expect(english).toMatchObject({ delivery: undefined, document: undefined });
  expect(first).toMatchObject({
    invoice: { id: t.wanted.invoiceId, issueDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
    company: { legalName: t.company.legalName, email: t.company.email },
    customer: { name: t.customer.name, email: t.customer.email },
    delivery: undefined,
    document: { objectKey: "de-DE.pdf", mailBodyKey: null, sizeBytes: 7 },
    suppressedBecause: undefined,
  });
  expect(typeof first?.invoice.grossMinor).toBe("bigint");
});

test("of an ordinal's mails to several addresses the one that a sender had counts", async () => {
  await using t = await setup();
  await t.plan("old@kundin.example");
  const { id } = await t.plan("new@kundin.example");
  const claim = await claimSending(t.db, id, 60_000);
  if (claim.kind !== "claimed") throw new Error("it was free");
  await markSent(t.db, id, claim.fence, { response: "250 Ok" });

  expect((await t.facts())?.delivery).toMatchObject({ id, state: "sent", response: "250 Ok" });
  expect((await t.facts({ purpose: "reminder-before:2026-01-31" }))?.delivery).toBeUndefined();
});

test("a mail without a revision is that of the one the invoice is at", async () => {
  await using t = await setup();
  const { id } = await t.plan("a@kundin.example");
  const { revision: _, ...latest } = t.wanted;
  const [facts] = await findMailFacts(t.db, [latest]);
  expect(facts?.delivery?.id).toBe(id);
});

test("an address that is stopped is found in whatever case, as the ledger has it or else the customer", async () => {
  await using t = await setup();
  const address = t.customer.email?.toUpperCase() ?? "";
  const { company: another } = await seedIssuedInvoice(t.database);
  await suppress(t.db, another.id, address, "complained there");
  expect((await t.facts())?.suppressedBecause).toBeUndefined();
  await suppress(t.db, t.company.id, address, "bounced");
  expect((await t.facts())?.suppressedBecause).toBe("bounced");

  await t.plan("Other@kundin.example");
  expect((await t.facts())?.suppressedBecause).toBeUndefined();
  await suppress(t.db, t.company.id, "other@kundin.example", "complained");
  expect((await t.facts())?.suppressedBecause).toBe("complained");
});

test("a plan is kept for however many mails", async () => {
  await using t = await setup();

  const { rows } = await t.database.transaction(async (tx) => {
    for (let n = 0; n < 20; n++)
      await findMailFacts(
        tx,
        Array.from({ length: 1 + (n % 4) }, () => t.wanted),
      );
    return await sql<{ customPlans: bigint }>`
      SELECT custom_plans FROM pg_prepared_statements WHERE statement LIKE '%JOIN invoices i%'`.execute(
      tx,
    );
  });

  // PostgreSQL makes five before it looks whether one for all is as good.
  expect(rows).toEqual([{ customPlans: 5n }]);
});
