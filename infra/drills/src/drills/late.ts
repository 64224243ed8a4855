import { setTimeout as pause } from "node:timers/promises";
import { putReminderSettings } from "@ballast/database";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { doubledMails, numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { letters, marketplaceEnv, openShop } from "../shop.ts";

/** Both are due this long after they were asked for. */
const DUE_SECONDS = 6;

/** Everything is down over the time of a reminder and of a comparison: each runs once on return. */
export const late = defineDrill({
  name: "late",
  promise:
    "everything is down over a reminder's and a reconciliation's time: each runs once on return",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "what was missed being asked for",
      file: "packages/database/src/schedules/ticks.ts",
      find: `.where("nextAt", "<=", sql<Date>\`now()\`)
    .orderBy("nextAt")`,
      replace: `.where("nextAt", ">", sql<Date>\`now() - interval '2 seconds'\`)
    .where("nextAt", "<=", sql<Date>\`now()\`)
    .orderBy("nextAt")`,
    },
  ],
  async run(t) {
    const apps = { api: 2, "email-worker": 1, "marketplace-sync-worker": 1 };
    const stack = await t.open({
      apps,
      env: marketplaceEnv(),
      tuning: [
        {
          file: "packages/database/src/reminders/settings.ts",
          find: "at: hourOn(dayPlus(dueDate, moved), atHour, timeZone) }",
          replace: `at: new Date(Date.now() + ${DUE_SECONDS}_000) }`,
        },
      ],
    });
    const db = stack.db.kysely;
    // Once a year; the next time is brought forward below.
    const shop = t.use(
      await openShop(stack, {
        articles: 10,
        account: { reconcile: { cron: "0 0 1 1 *", timeZone: "UTC" } },
      }),
    );
    const schedule = `reconcile-stock:${shop.accountId}`;
    const schedules = () => numberOf(stack.db, sql`schedules WHERE id = ${schedule}`);
    await until(async () => (await schedules()) > 0, { what: "the schedule of the comparison" });
    const { invoice } = await stack.invoice();
    const settings = { beforeDays: 3, afterDays: null, atHour: 9, templates: {} };
    await putReminderSettings(db, invoice.companyId, settings);
    const due = await stack.api.put(`/v1/invoices/${invoice.id}/due-date`, {
      dueDate: "2099-12-31",
    });
    t.must("the due date is taken", due.status === 200);
    await sql`UPDATE schedules SET next_at = now() + ${DUE_SECONDS} * interval '1 second'
      WHERE id = ${schedule}`.execute(db);

    t.tell("everything goes down");
    await Promise.all(stack.replicas().map((replica) => replica.kill()));
    const mailsBefore = stack.smtp.mails.length;
    const ticks = () =>
      numberOf(
        stack.db,
        sql`schedule_ticks WHERE schedule_id = ${schedule} AND due_at IS NOT NULL`,
      );
    const ticksBefore = await ticks();
    await pause((DUE_SECONDS + t.sized(3, 60)) * 1_000);

    t.tell("everything is back");
    await Promise.all(
      Object.entries(apps).flatMap(([app, count]) =>
        Array.from({ length: count }, () => stack.start(app)),
      ),
    );
    const isTicked = async () => (await ticks()) > 0;
    for (let tries = 0; tries < 150 && !(await isTicked()); tries++) await pause(100);
    const over = await untilAllOver(stack.db, 60_000);
    await pause(t.sized(3_000, 10_000)); // whoever else would, has by now
    const comparisons = await numberOf(stack.db, sql`drift_reports`);

    t.figure("mailsWhileDown", mailsBefore);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("ticks", await ticks());
    t.figure("comparisons", comparisons);
    t.must("nothing was done before its time", mailsBefore === 0 && ticksBefore === 0);
    t.must("all is over within a minute", over !== undefined);
    t.must(
      "the reminder is mailed once",
      stack.smtp.mails.length === 1 && doubledMails(stack) === 0,
    );
    t.must("the comparison is asked for once", (await ticks()) === 1);
    t.must("it is done once", comparisons === 1);
    t.must("nothing dies", (await letters(stack)) === 0);
  },
});
