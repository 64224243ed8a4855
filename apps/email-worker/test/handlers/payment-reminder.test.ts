import { paymentReminder, remindDebtors } from "@ballast/contracts";
import {
  type CompanyFacts,
  cancelRequest,
  dayIn,
  dayPlus,
  keepHistory,
  moveDueDate,
  openRemoteStore,
  openRunStore,
  payInvoice,
  putReminderSettings,
  type ReminderSettings,
  voidInvoice,
} from "@ballast/database";
import { type Attempt, createRequests, openRemoteGuard } from "@ballast/jobs";
import { expect, test } from "vitest";
import { paymentReminderHandler, whyNeedless } from "../../src/handlers/payment-reminder.ts";
import { remindDebtorsHandler } from "../../src/handlers/remind-debtors.ts";
import { createMailer } from "../../src/smtp/mailer.ts";
import { smtpSettings } from "../../src/smtp/settings.ts";
import { anAttempt, setup as mailSetup } from "./setup.ts";

const DUE = dayPlus(new Date().toISOString().slice(0, 10), 3);
const SETTINGS: ReminderSettings = { beforeDays: 3, afterDays: 7, atHour: 9, templates: {} };

/** An invoice that was issued a month ago and is due in three days, and a company that reminds. */
async function setup(
  settings: ReminderSettings = SETTINGS,
  { locale = "de-DE", dueDate = DUE, company = {} as Partial<CompanyFacts> } = {},
) {
  const stack = new AsyncDisposableStack();
  const t = stack.use(await mailSetup({ seed: { company, invoice: { dueDate, locale } } }));
  const { database, server, invoice } = t;
  const issuedAt = new Date(Date.now() - 30 * 24 * 3_600_000);
  await database.kysely.updateTable("invoices").set({ issuedAt }).execute();
  await putReminderSettings(database.kysely, invoice.companyId, settings);
  const mailer = stack.use(createMailer(smtpSettings(server.url)));
  const guard = openRemoteGuard({
    store: openRemoteStore(database),
    remote: { kind: "smtp", key: "the mail server" },
  });
  const requests = createRequests({ store: openRunStore(database) });
  const remind = paymentReminderHandler({ database, mailer, guard });
  const look = remindDebtorsHandler({ database, requests });
  const run = (handler: typeof remind, companyId: string | null, payload: unknown) =>
    handler.run(anAttempt(companyId, payload) as Attempt<never>);
  return {
    ...t,
    remind: (step: "before" | "after" = "before", dueDate = DUE) =>
      run(
        remind,
        invoice.companyId,
        paymentReminder.payload.parse({ invoiceId: invoice.id, dueDate, step }),
      ),
    look: (companyId: string | null = null) =>
      run(look, companyId, remindDebtors.payload.parse({ days: 2 })),
    waiting: () =>
      database.kysely.selectFrom("jobRuns").select(["payload", "dueAt"]).orderBy("dueAt").execute(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("a reminder tells number, amount and date in the customer's language, once however often it runs", async () => {
  await using t = await setup();
  expect(await t.remind()).toMatchObject({ outcome: "sent" });
  expect(await t.remind()).toMatchObject({ outcome: "sent" });

  const [mail, ...others] = t.server.mails;
  expect(others).toEqual([]);
  expect(mail?.parsed.subject).toBe(`Rechnung ${t.invoice.number} wird bald fällig`);
  expect(mail?.parsed.text).toContain("57,84");
  expect(mail?.parsed.attachments).toEqual([]);
  expect(mail?.parsed.html).toContain("freundlich");
  expect(await t.deliveries()).toMatchObject([
    { purpose: `reminder-before:${DUE}`, state: "sent" },
  ]);
});

test("before and after are two mails, and a date that was moved is reminded of anew", async () => {
  await using t = await setup();
  const later = dayPlus(DUE, 30);
  await t.remind("before");
  await t.remind("after");
  await t.database.transaction((tx) => moveDueDate(tx, "all", t.invoice.id, later));
  expect(await t.remind("before", DUE)).toMatchObject({ outcome: "moved" });
  expect(await t.remind("before", later)).toMatchObject({ outcome: "sent" });
  expect(t.server.mails.map(({ parsed }) => parsed.subject)).toEqual([
    `Rechnung ${t.invoice.number} wird bald fällig`,
    `Zahlungserinnerung zur Rechnung ${t.invoice.number}`,
    `Rechnung ${t.invoice.number} wird bald fällig`,
  ]);
});

test.for([
  ["paid", payInvoice],
  ["void", voidInvoice],
] as const)("of an invoice that is %s meanwhile nobody is reminded", async ([outcome, step]) => {
  await using t = await setup();
  await t.database.transaction((tx) => step(tx, "all", t.invoice.id));
  expect(await t.remind()).toEqual({ outcome, deliveryId: null, messageId: null });
  expect(t.server.mails).toEqual([]);
});

test("a company's own words are taken as they are, with the invoice's values in their places", async () => {
  const before = { subject: "{number}: {amount}", text: "By {dueDate}, {customer}! {nothing}" };
  await using t = await setup({ ...SETTINGS, templates: { before } }, { locale: "en-GB" });
  await t.remind();
  const { subject, text } = t.server.mails[0]?.parsed ?? {};
  expect(subject).toBe(`${t.invoice.number}: €57.84`);
  expect(text).toContain(`, ${t.invoice.customer.name}! {nothing}`);
});

test("reminders that are switched off are not sent", () => {
  const invoice = { state: "issued", dueDate: DUE } as const;
  const off = { beforeDays: null, afterDays: 7 };
  expect(whyNeedless(invoice, off, { dueDate: DUE, step: "before" }, DUE)).toBe("off");
  expect(whyNeedless(invoice, off, { dueDate: DUE, step: "after" }, DUE)).toBeUndefined();
});

test.for([
  ["is over", "Pacific/Kiritimati", "overdue"],
  ["is not over", "Etc/GMT+12", "sent"],
] as const)(
  "where the due date %s, a reminder in advance that was held up is $2",
  async ([, timeZone, outcome]) => {
    // A day that is over at the other end of the world.
    const dueDate = dayIn("Etc/GMT+12", new Date());
    await using t = await setup(SETTINGS, { dueDate, company: { timeZone } });
    expect(await t.remind("before", dueDate)).toMatchObject({ outcome });
    expect(t.server.mails).toHaveLength(outcome === "sent" ? 1 : 0);
    expect(await t.remind("after", dueDate)).toMatchObject({ outcome: "sent" });
  },
);

test("the daily look asks for what nobody asked for, once, and for none that was mailed", async () => {
  await using t = await setup();
  expect(await t.look()).toEqual({ asked: 1 });
  expect(await t.look()).toEqual({ asked: 0 });
  expect(await t.waiting()).toMatchObject([
    { payload: { invoiceId: t.invoice.id, dueDate: DUE, step: "before" } },
  ]);
  await t.remind();
  await t.database.kysely.deleteFrom("jobRuns").execute();
  expect(await t.look()).toEqual({ asked: 0 });
});

test("a reminder that somebody cancelled is not asked for again, unless the due date moves", async () => {
  await using t = await setup();
  await t.look();
  const { id } = await t.database.kysely
    .selectFrom("jobRequests")
    .select("id")
    .executeTakeFirstOrThrow();
  expect(await cancelRequest(t.database, id, "all")).toMatchObject({ kind: "cancelled" });
  expect(await t.look()).toEqual({ asked: 0 });

  await keepHistory(t.database, { moveAfterMs: 0, keepMonths: 13 });
  expect(await t.waiting()).toEqual([]);
  expect(await t.look()).toEqual({ asked: 0 });
  const later = dayPlus(DUE, 1);
  await t.database.transaction((tx) => moveDueDate(tx, "all", t.invoice.id, later));
  expect(await t.look()).toEqual({ asked: 1 });
});

test("the daily look is for all companies: one that a company asked for is dead at once", async () => {
  await using t = await setup();
  await expect(t.look(t.invoice.companyId)).rejects.toMatchObject({ code: "for_all_companies" });
  expect(await t.waiting()).toEqual([]);
});
