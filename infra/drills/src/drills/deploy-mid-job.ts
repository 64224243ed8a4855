import { sql } from "kysely";
import { doubledEffects, doubledMails, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import type { Replica } from "../stack/replica.ts";
import type { Stack } from "../stack/stack.ts";

/** The longest grace period of a queue, and the time for last words after it. */
const LEAVES_WITHIN_MS = 27_000;

/** New processes come before old ones go, again and again, while work goes on. */
export const deployMidJob = defineDrill({
  name: "deploy-mid-job",
  promise:
    "rolling deploys of two replicas each during 300 slow jobs: no attempt counted, none stalled, nobody stays too long, no gap over 2 s",
  sabotages: [
    {
      without: "an attempt let go on shutdown being no failure",
      file: "packages/jobs/src/outcome.ts",
      find: 'if (at.abortedBy === "shutdown" || at.abortedBy === "lease_lost" ||',
      replace: 'if (at.abortedBy === "lease_lost" ||',
    },
    {
      without: "jobs being handed back",
      file: "packages/jobs/src/engine/settle.ts",
      find: 'told(outcome.reason === "lease_lost" || (await moved(() => job.moveToWait(token))));',
      replace: "told(true);",
    },
  ],
  async run(t) {
    const apps = t.sized(
      { api: 2, "email-worker": 1 },
      { api: 2, "email-worker": 2, "pdf-worker": 2 },
    );
    const stack = await t.open({ apps, echoWorkers: 2, env: { ECHO_CONCURRENCY: "10" } });
    const rounds = t.sized(1, 3);
    const invoices = await Promise.all(
      Array.from({ length: t.sized(10, 60) }, () =>
        stack.invoice({ rendered: t.size === "short" }),
      ),
    );

    t.tell("slow jobs at a steady rate");
    const deployed = new AbortController();
    let askedAgain = 0;
    const running = load({
      perSecond: t.sized(6, 5),
      seconds: 300,
      signal: deployed.signal,
      request: async (n) => {
        const invoice = n % 6 === 5 ? invoices[(n - 5) / 6]?.invoice : undefined;
        const ms = 300 + Math.floor(t.random() * 2_500);
        const key = { "Idempotency-Key": `drill-${n}` };
        const ask = () =>
          invoice === undefined
            ? stack.api.post(
                "/v1/jobs",
                { job: "echo", payload: { id: `bare-takes-${ms}-${n}` } },
                key,
              )
            : stack.api.post(`/v1/invoices/${invoice.id}/send`, {}, key);
        const answer = await ask();
        if (answer.status !== 0) return answer;
        // Its connection was closed the moment it was sent: callers ask again, with the same key.
        askedAgain += 1;
        return await ask();
      },
    });
    const everyone = new Set<Replica>(stack.replicas());
    const left: { name: string; ms: number; how: string }[] = [];
    for (let round = 1; round <= rounds; round++) {
      t.tell(`deploy ${round} of ${rounds}`);
      const old = Map.groupBy(stack.replicas(), ({ app }) => app);
      // Each app on its own, as a cluster does it; of one app, one process after the other.
      await Promise.all(
        [...old].map(async ([app, replicas]) => {
          for (const replica of replicas) {
            everyone.add(await stack.start(app));
            const ms = await replica.stop();
            left.push({ name: replica.name, ms, how: await replica.ended });
          }
        }),
      );
    }
    deployed.abort();
    const report = await running;
    await untilAllOver(stack.db, 60_000);
    const states = await statesOf(stack.db, report.accepted);
    const { counted, lost, handedBack } = await attemptsOf(stack);
    const stalls = [...everyone]
      .flatMap((replica) => replica.log())
      .filter(({ msg }) => msg?.startsWith("job stalled"));
    const gapMs = await longestGapMs(stack);
    const hard = left.filter(({ how }) => how !== "exit code 0");

    t.figure("requests", report.sent);
    t.figure("askedAgain", askedAgain);
    t.figure("replaced", left.length);
    t.figure("handedBack", handedBack);
    t.figure("attemptsCounted", counted);
    t.figure("stalled", lost + stalls.length);
    t.figure("longestGapMs", gapMs);
    t.figure("slowestToLeaveMs", Math.max(...left.map(({ ms }) => ms)));
    t.must("every request is accepted", report.refusedCount === 0);
    t.must("every request is completed", states["completed"] === report.accepted.length);
    t.must("some jobs were in the way", handedBack > 0);
    t.must("no attempt is counted", counted === 0);
    t.must("none stalled", lost + stalls.length === 0);
    t.must("no gap over 2 s", gapMs <= 2_000);
    t.must(
      `everybody leaves in order: ${hard.map(({ name, how }) => `${name} by ${how}`)}`,
      hard.length === 0,
    );
    t.must(
      "and within the grace period",
      left.every(({ ms }) => ms <= LEAVES_WITHIN_MS),
    );
    t.must("no effect is doubled", (await doubledEffects(stack.db)) + doubledMails(stack) === 0);
  },
});

async function attemptsOf({ db }: Stack) {
  const { rows } = await sql<{ counted: number; lost: number; handedBack: number }>`
    SELECT (SELECT coalesce(sum(attempts_made), 0)::int FROM job_runs) AS counted,
      count(*) FILTER (WHERE outcome = 'lost')::int AS lost,
      count(*) FILTER (WHERE outcome = 'interrupted')::int AS "handedBack"
    FROM job_attempts`.execute(db.kysely);
  return rows[0] ?? { counted: 0, lost: 0, handedBack: 0 };
}

/** Between one effect and the next. */
async function longestGapMs({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT max(extract(epoch FROM gap) * 1000)::float8 AS ms
    FROM (SELECT at - lag(at) OVER (ORDER BY at) AS gap FROM drill_effects) gaps`.execute(
    db.kysely,
  );
  return rows[0]?.ms ?? 0;
}
