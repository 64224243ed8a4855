import { startHttpRecorder, until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { type Edit, editedEnv } from "../sabotage/sabotage.ts";
import { eagerSweep, quickAlertLock } from "../tuning.ts";

/** A worker that never gets to write down how anything ended: it is killed between failing and parking. */
const neverWrites: Edit = {
  file: "packages/jobs/src/journal.ts",
  find: "    const batch = ends.splice(0, MAX_BATCH);",
  replace: "    await new Promise(() => {});\n    const batch = ends.splice(0, MAX_BATCH);",
};

/** Whoever is killed between a death and its alert: every death is parked once, every incident told. */
export const parkingCrash = defineDrill({
  name: "parking-crash",
  promise:
    "a worker killed between failing and parking, the notifier down, then killed mid-alert: each death parked once, each incident told, no storm",
  sabotages: [
    {
      without: "the failed sets being swept",
      file: "apps/dlq-notifier/src/rounds/sweeping.ts",
      find: "const swept = await sweepFailed(options);",
      replace: "const swept = { copied: 0, adopted: 0, removed: 0 };",
    },
  ],
  async run(t) {
    const webhook = t.use(await startHttpRecorder({ kind: "hang" }));
    const stack = await t.open({
      tuning: t.sized([quickAlertLock, ...eagerSweep], []),
      env: { ALERT_WEBHOOK_URL: webhook.url, ALERT_WEBHOOK_SECRET: "drill-secret-of-16" },
    });
    const deaths = t.sized(20, 500);
    const forgetful = await stack.start(
      "echo-worker",
      editedEnv([neverWrites], `${stack.folder}/forgetful`),
    );
    for (let n = 0; n < deaths; n++)
      await stack.api.post("/v1/jobs", { job: "echo", payload: { id: `die-${n}` } });
    t.tell("jobs die in the engine, and their worker is killed before it can park them");
    const failed = () => stack.otherTeam.queue("drill").getFailedCount();
    await until(async () => (await failed()) === deaths, { deadlineMs: 60_000 });
    await forgetful.kill();
    const parkedByWorker = await numberOf(stack.db, sql`dead_letters`);

    t.tell("the notifier starts, finds them, and is killed in the middle of its first alert");
    const notifier = await stack.start("dlq-notifier");
    await webhook.waitForRequests(1).catch(() => {});
    await notifier.kill();
    webhook.behave({ kind: "answer", status: 200, body: "ok" });
    const killedAt = webhook.requests.length;
    await stack.start("dlq-notifier");
    const told = () => numberOf(stack.db, sql`alert_deliveries`);
    const parked = () => numberOf(stack.db, sql`dead_letters WHERE incident_id IS NOT NULL`);
    await until(async () => (await told()) > 0 && (await parked()) === deaths, {
      deadlineMs: t.sized(30_000, 120_000),
    }).catch(() => {});

    t.figure("deaths", deaths);
    t.figure("parkedByTheWorker", parkedByWorker);
    t.figure("parked", await parked());
    t.figure("incidents", await numberOf(stack.db, sql`incidents`));
    t.figure("alertsTold", await told());
    t.figure("webhooks", webhook.requests.length);
    t.must("the worker parked none", parkedByWorker === 0);
    t.must("every death is parked and filed, once", (await parked()) === deaths);
    t.must("they are one incident", (await numberOf(stack.db, sql`incidents`)) === 1);
    t.must("it is told", (await told()) >= 1);
    t.must("there is no storm", webhook.requests.length - killedAt <= 4);
  },
});
