import { dayPlus, hourOn } from "@ballast/database";
import { expect, test } from "vitest";
import { companyExample } from "../src/routes/examples.ts";
import { type Api, setup } from "./setup.ts";

const today = () => new Date().toISOString().slice(0, 10);

/** An issued invoice of a company that reminds 3 days before and 7 days after. */
async function reminding(t: Api, dueInDays: number) {
  const { companyId, draft } = await t.tenant();
  await t.api.put(`/v1/companies/${companyId}/reminders`, {}).expect(200);
  const invoiceId = crypto.randomUUID();
  const path = `/v1/invoices/${invoiceId}`;
  const dueDate = dayPlus(today(), dueInDays);
  await t.api.put(path, { ...draft, issueDate: null, dueDate }).expect(201);
  await t.api.post(`${path}/issue`).expect(200);
  return { companyId, invoiceId, path, dueDate };
}

const asked = async (t: Api) =>
  (
    await t.database.kysely
      .selectFrom("jobRuns")
      .select(["payload", "dueAt"])
      .where("job", "=", "payment-reminder")
      .orderBy("dueAt")
      .execute()
  ).map(({ payload, dueAt }) => ({ ...(payload as { dueDate: string }), dueAt }));

test("an invoice that is issued asks for its reminders, each at the company's hour", async () => {
  await using t = await setup();
  const { dueDate } = await reminding(t, 30);
  expect(await asked(t)).toMatchObject([
    { step: "before", dueDate, dueAt: hourOn(dayPlus(dueDate, -3), 9, "Europe/Berlin") },
    { step: "after", dueDate, dueAt: hourOn(dayPlus(dueDate, 7), 9, "Europe/Berlin") },
  ]);
});

test("an invoice issued shortly before it is due is reminded of afterwards alone", async () => {
  await using t = await setup();
  await reminding(t, 1);
  expect(await asked(t)).toMatchObject([{ step: "after" }]);
});

test("a due date that is moved asks for its own reminders, one whose time is over at once", async () => {
  await using t = await setup();
  const { path, dueDate } = await reminding(t, 30);
  const tomorrow = dayPlus(today(), 1);
  const moved = await t.api.put(`${path}/due-date`, { dueDate: tomorrow }).expect(200);
  expect(moved.body.dueDate).toBe(tomorrow);
  const [first, ...others] = await asked(t);
  expect(first).toMatchObject({ step: "before", dueDate: tomorrow });
  expect(Number(first?.dueAt)).toBeLessThan(Date.now());
  expect(others).toMatchObject([
    { step: "after", dueDate: tomorrow },
    { step: "before", dueDate },
    { step: "after", dueDate },
  ]);
  await t.api.post(`${path}/pay`).expect(200);
  const refused = await t.api.put(`${path}/due-date`, { dueDate }).expect(409);
  expect(refused.body.detail).toContain("is paid");
});

test("a due date that is moved to a day that is over asks for no reminder in advance", async () => {
  await using t = await setup();
  const { path } = await reminding(t, 1);
  const past = dayPlus(today(), -2);
  await t.api.put(`${path}/due-date`, { dueDate: past }).expect(200);
  expect((await asked(t)).filter(({ dueDate }) => dueDate === past)).toMatchObject([
    { step: "after" },
  ]);
});

test("reminders that wait follow their company's settings, and no others", async () => {
  await using t = await setup();
  const { companyId, dueDate } = await reminding(t, 30);
  const other = await reminding(t, 30);
  const set = { beforeDays: 10, afterDays: 30, atHour: 14 };
  await t.api.put(`/v1/companies/${companyId}/reminders`, set).expect(200);
  const at = (days: number, hour: number) => hourOn(dayPlus(dueDate, days), hour, "Europe/Berlin");
  expect(await asked(t)).toMatchObject([
    { step: "before", dueAt: at(-10, 14) },
    { step: "before", invoiceId: other.invoiceId, dueAt: at(-3, 9) },
    { step: "after", invoiceId: other.invoiceId, dueAt: at(7, 9) },
    { step: "after", dueAt: at(30, 14) },
  ]);
  const runs = await t.database.kysely
    .selectFrom("jobRuns")
    .select(["dueAt", "deadlineAt"])
    .execute();
  expect(runs.map(({ dueAt, deadlineAt }) => Number(deadlineAt) - Number(dueAt))).toEqual(
    Array(4).fill(7 * 24 * 3_600_000),
  );
  const off = { ...set, beforeDays: null };
  await t.api.put(`/v1/companies/${companyId}/reminders`, off).expect(200);
  expect(await asked(t)).toMatchObject([{ dueAt: at(-10, 14) }, {}, {}, {}]);
});

test("reminders that wait follow their company into another time zone", async () => {
  await using t = await setup();
  const { companyId, dueDate } = await reminding(t, 30);
  const path = `/v1/companies/${companyId}`;
  await t.api.put(path, { ...companyExample, timeZone: "America/New_York" }).expect(200);
  const at = (days: number) => hourOn(dayPlus(dueDate, days), 9, "America/New_York");
  expect(await asked(t)).toMatchObject([{ dueAt: at(-3) }, { dueAt: at(7) }]);
});

test.for([
  ["goes out at once if the daily look would ask for it", 30, -8, -8 + 7],
  ["keeps the time it had if the invoice is younger", 0, -8, -8 + 30],
  ["keeps the time it had if that was more than a week ago", 30, -20, -20 + 30],
] as const)("a reminder whose new time is over %s", async ([, ageDays, dueInDays, days]) => {
  await using t = await setup();
  const { companyId, draft } = await t.tenant();
  const path = `/v1/companies/${companyId}/reminders`;
  await t.api.put(path, { beforeDays: null, afterDays: 30 }).expect(200);
  const invoice = `/v1/invoices/${crypto.randomUUID()}`;
  const dueDate = dayPlus(today(), dueInDays);
  await t.api.put(invoice, { ...draft, issueDate: null, dueDate }).expect(201);
  await t.api.post(`${invoice}/issue`).expect(200);
  const issuedAt = new Date(Date.now() - ageDays * 24 * 3_600_000);
  await t.database.kysely.updateTable("invoices").set({ issuedAt }).execute();

  await t.api.put(path, { beforeDays: null, afterDays: 7 }).expect(200);

  const dueAt = hourOn(dayPlus(today(), days), 9, "Europe/Berlin");
  expect(await asked(t)).toMatchObject([{ step: "after", dueAt }]);
});

test("a company that has set nothing reminds nobody", async () => {
  await using t = await setup();
  const { companyId } = await t.issued();
  expect(await asked(t)).toEqual([]);
  const { body } = await t.api.get(`/v1/companies/${companyId}/reminders`).expect(200);
  expect(body).toEqual({ beforeDays: null, afterDays: null, atHour: 9, templates: {} });
});

test.for([
  ["no day", { beforeDays: 0 }, "beforeDays"],
  ["no hour", { atHour: 24 }, "atHour"],
  [
    "an empty text",
    { templates: { before: { subject: "x", text: " " } } },
    "templates.before.text",
  ],
  ["an unknown step", { templates: { later: {} } }, "templates.later"],
] as const)("%s is refused, naming the field", async ([, body, field]) => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const got = await t.api.put(`/v1/companies/${companyId}/reminders`, body).expect(422);
  expect(got.text).toContain(field);
});
