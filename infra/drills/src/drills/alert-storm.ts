import { startHttpRecorder, until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";

/** At each list, of which the fastest counts: a machine that is busy with other things for a moment proves nothing. */
const LOOKS = 5;

/** Thousands of deaths of three causes: three incidents, and people are told a few times, not thousands. */
export const alertStorm = defineDrill({
  name: "alert-storm",
  promise:
    "5,000 deaths of 3 causes in a minute: 3 incidents, at most 4 alerts each, lists in under 300 ms",
  sabotages: [
    {
      without: "messages being made alike before they are compared",
      file: "packages/database/src/incidents/fingerprint.ts",
      find: "for (const [pattern, name] of PLACEHOLDERS) text = text.replace(pattern, name);",
      replace: "",
    },
  ],
  async run(t) {
    const webhook = t.use(await startHttpRecorder());
    const stack = await t.open({
      apps: { "dlq-notifier": 2 },
      echoWorkers: 1,
      env: { ALERT_WEBHOOK_URL: webhook.url, ALERT_WEBHOOK_SECRET: "drill-secret-of-16" },
    });
    const deaths = t.sized(600, 5_000);
    const causes = [
      (n: number) => ({ v: 1, payload: { id: `die-${n}` } }),
      (n: number) => ({ v: 1, payload: { id: n } }),
      (n: number) => ({ hello: n }),
    ];
    const jobs = Array.from({ length: deaths }, (_, n) => ({
      name: "echo",
      data: causes[n % causes.length]?.(n),
      opts: { jobId: `storm-${n}` },
    }));
    t.tell("deaths of three causes");
    for (let from = 0; from < jobs.length; from += 500)
      await stack.otherTeam.queue("drill").addBulk(jobs.slice(from, from + 500));

    const filed = () => numberOf(stack.db, sql`dead_letters WHERE incident_id IS NOT NULL`);
    await until(async () => (await filed()) === deaths, {
      deadlineMs: t.sized(60_000, 180_000),
      intervalMs: 200,
    }).catch(() => {});
    await untilAllOver(stack.db, 60_000);
    t.tell("lists are asked for");
    const lists = [
      "/v1/dead-letters",
      "/v1/dead-letters?queue=drill&state=open&limit=200",
      "/v1/incidents",
      "/v1/queues",
    ];
    let slowestMs = 0;
    for (const path of lists) {
      const replies = [];
      for (let n = 0; n < LOOKS; n++) replies.push(await stack.api.get(path));
      slowestMs = Math.max(slowestMs, Math.min(...replies.map(({ ms }) => ms)));
      t.must(
        `${path} answers`,
        replies.every(({ status }) => status === 200),
      );
    }
    const incidents = await numberOf(stack.db, sql`incidents`);
    const alerts = await numberOf(stack.db, sql`alerts`);
    const most = Math.max(0, ...[...perIncident(webhook.requests).values()]);

    t.figure("deaths", deaths);
    t.figure("filed", await filed());
    t.figure("incidents", incidents);
    t.figure("alerts", alerts);
    t.figure("webhooks", webhook.requests.length);
    t.figure("slowestListMs", slowestMs);
    t.must("every death is parked and filed", (await filed()) === deaths);
    t.must("there are three incidents", incidents === 3);
    t.must("each is told at most four times", most <= 4);
    t.must("each is told", perIncident(webhook.requests).size === 3);
    t.must("every list answers in under 300 ms", slowestMs < 300);
  },
});

/** Requests by the incident they tell of. */
function perIncident(requests: readonly { readonly json: unknown }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { json } of requests) {
    const id = String((json as { incident?: { id?: unknown } }).incident?.id);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
