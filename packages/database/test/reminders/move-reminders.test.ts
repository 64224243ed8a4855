import { seedIssuedInvoice, until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import {
  dayIn,
  dayPlus,
  holdReminderSettings,
  hourOn,
  moveReminders,
  putReminderSettings,
  type Tx,
} from "../../src/index.ts";
import { aRun, setup } from "../run-store/setup.ts";

const JOB = { queue: "email", job: "payment-reminder" };
const SETTINGS = { beforeDays: null, afterDays: 7, atHour: 9, templates: {} };

test("a reminder that is being asked for while settings change is moved, too", async () => {
  await using t = await setup();
  const { invoice, company } = await seedIssuedInvoice(t.db);
  const { id: companyId, timeZone } = company;
  const dueDate = dayPlus(dayIn(timeZone, new Date()), 30);
  const dueAfter = (days: number | null) => hourOn(dayPlus(dueDate, days ?? 0), 9, timeZone);
  await putReminderSettings(t.db.kysely, companyId, SETTINGS);
  const ask = async (tx: Tx) => {
    const dueAt = dueAfter((await holdReminderSettings(tx, companyId)).afterDays);
    const payload = { invoiceId: invoice.id, dueDate, step: "after" };
    await t.store.ask(tx, aRun({ ...JOB, payload, companyId, dueAt }), {
      requestedBy: null,
      traceparent: null,
    });
  };
  let isOver = false;
  const change = async (tx: Tx) => {
    const settings = { ...SETTINGS, afterDays: 10 };
    await putReminderSettings(tx, companyId, settings);
    await moveReminders(tx, { ...JOB, companyId, timeZone, settings, giveUpAfterMs: 1 });
    isOver = true;
  };
  const isHeldUp = async () => {
    const { rows } = await sql`
      SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
      t.db.kysely,
    );
    return rows.length > 0;
  };

  const changed = await t.db.transaction(async (tx) => {
    await ask(tx);
    const changing = t.db.transaction(change);
    await until(async () => isOver || (await isHeldUp()));
    return { changing }; // a promise of its own would be waited for before the commit
  });
  await changed.changing;

  const runs = await t.db.kysely.selectFrom("jobRuns").select("dueAt").execute();
  expect(runs).toEqual([{ dueAt: dueAfter(10) }]);
});
