import { createTestDatabase, seedIssuedInvoice } from "@ballast/testing";
import { expect, test } from "vitest";
import {
  type CompanyFacts,
  dayIn,
  dayPlus,
  type ForgottenReminder,
  forgottenReminders,
  hourOn,
  putReminderSettings,
} from "../../src/index.ts";

const DAY_MS = 24 * 3_600_000;
/** The ends of the world: there is never the same day in both. */
const [FIRST, LAST] = ["Pacific/Kiritimati", "Etc/GMT+12"];
const today = (timeZone = "Europe/Berlin") => dayIn(timeZone, new Date());
const ago = (days: number) => new Date(Date.now() - days * DAY_MS);

/** Companies that remind three days before the due date and seven after. */
async function setup() {
  const { db, ...database } = await createTestDatabase();
  return {
    db,
    async invoice(dueDate: string, issuedAt = ago(30), company: Partial<CompanyFacts> = {}) {
      const { invoice } = await seedIssuedInvoice(db, { company, invoice: { dueDate } });
      const { id, companyId } = invoice;
      const settings = { beforeDays: 3, afterDays: 7, atHour: 9, templates: {} };
      await putReminderSettings(db.kysely, companyId, settings);
      await db.kysely.updateTable("invoices").set({ issuedAt }).where("id", "=", id).execute();
      return invoice;
    },
    async forgotten(batch = 10) {
      const look = { queue: "email", job: "payment-reminder", days: 2, batch };
      const found: ForgottenReminder[] = [];
      for await (const some of forgottenReminders(db.kysely, look)) found.push(...some);
      return found;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("a reminder whose hour is over is found with that hour, however few are read at once", async () => {
  await using t = await setup();
  const dueDate = dayPlus(today(), 2);
  const invoices = [await t.invoice(dueDate), await t.invoice(dueDate), await t.invoice(dueDate)];
  const found = await t.forgotten(1);
  expect(found.map(({ invoiceId }) => invoiceId)).toEqual(invoices.map(({ id }) => id).sort());
  expect(found[0]).toMatchObject({
    step: "before",
    dueDate,
    at: hourOn(dayPlus(dueDate, -3), 9, "Europe/Berlin"),
  });
});

test("nobody is told that an invoice is due soon once it is overdue where the company is", async () => {
  await using t = await setup();
  await t.invoice(dayPlus(today(), -2));
  await t.invoice(today(LAST), ago(30), { timeZone: FIRST });
  const { id } = await t.invoice(today(LAST), ago(30), { timeZone: LAST });
  expect(await t.forgotten()).toMatchObject([{ invoiceId: id, step: "before" }]);
});

test("an invoice that was issued when a reminder's time was over was not forgotten", async () => {
  await using t = await setup();
  const tomorrow = dayPlus(today(), 1);
  const at = hourOn(dayPlus(tomorrow, -3), 9, "Europe/Berlin");
  await t.invoice(tomorrow, at);
  await t.invoice(dayPlus(today(), -9), ago(1));
  const { id } = await t.invoice(tomorrow, new Date(+at - 1));
  expect(await t.forgotten()).toMatchObject([{ invoiceId: id }]);
});
