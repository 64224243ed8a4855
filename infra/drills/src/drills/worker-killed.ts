import { setTimeout as pause } from "node:timers/promises";
import { email, pdf, recoveryBoundMs } from "@ballast/contracts";
import type { SeededInvoice } from "@ballast/testing";
import { sql } from "kysely";
import { doubledMails, runsByState, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import type { Stack } from "../stack/stack.ts";
import { quickClaim, quickEmailLock, quickPdfLock } from "../tuning.ts";

/** Workers are killed at random while mails go out: each arrives once, or a person is asked. */
export const workerKilled = defineDrill({
  name: "worker-killed",
  promise:
    "a random worker is killed every 3 s during 500 deliveries: each mail arrives once or is a question to a person",
  sabotages: [
    {
      without: "a sender's silence meaning that nobody knows",
      file: "packages/database/src/delivery-claim.ts",
      find: `state: "unknown",
      leaseUntil: null,
      errorCode: "lease_expired",`,
      replace: `state: "planned",
      leaseUntil: null,
      errorCode: "lease_expired",`,
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "pdf-worker": 2, "email-worker": 2 },
      tuning: t.sized([quickPdfLock, quickEmailLock, quickClaim], []),
    });
    const [count, everyMs, kills] = t.sized([20, 1_500, 3], [500, 3_000, Number.POSITIVE_INFINITY]);
    // Long enough to be printed for some tenths of a second each, so that a kill finds some under way.
    const invoices: SeededInvoice[] = [];
    for (let n = 0; n < count; n++)
      invoices.push(await stack.invoice({ email: `nr-${n}@kundin.example`, lines: 80 }));
    // One in ten is taken by a server that then says nothing, so that a kill leaves a true question.
    stack.smtp.behave((recipient) =>
      /^nr-\d*0@/.test(recipient) ? { kind: "silence", at: "message" } : { kind: "accept" },
    );
    t.tell("workers are killed while mails are asked for");
    let asking = true;
    const asked = load({
      perSecond: 5,
      seconds: count / 5,
      request: (n) => stack.api.post(`/v1/invoices/${invoices[n]?.invoice.id}/send`),
      signal: t.signal,
    }).finally(() => {
      asking = false;
    });
    let killed = 0;
    while (killed < kills && (asking || !(await isOver(stack)))) {
      await pause(everyMs);
      const app = killed % 2 === 0 ? "pdf-worker" : "email-worker";
      const workers = stack.replicas(app);
      await workers[Math.floor(t.random() * workers.length)]?.kill();
      killed += 1;
      await stack.start(app);
    }
    const { refusedCount } = await asked;
    stack.smtp.behave({ kind: "accept" });
    for (const worker of stack.replicas("email-worker")) await worker.kill();
    await stack.start("email-worker");
    t.tell("what is left is done");
    // A claim on a mail lasts 90 s, and there may be one more after it; then a person is asked.
    await untilAllOver(stack.db, t.sized(60_000, 240_000));

    const { sent = 0, unknown = 0, ...others } = await deliveriesByState(stack);
    const { lost, longestMs } = await lostRenders(stack);
    t.figure("deliveries", count);
    t.figure("killed", killed);
    t.figure("sent", sent);
    t.figure("unknown", unknown);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("rendersKilled", lost);
    t.figure("longestPdfRecoveryMs", longestMs);
    t.must("every request is accepted", refusedCount === 0);
    t.must("every delivery is sent or a question to a person", sent + unknown === count);
    t.must(`none is left: ${JSON.stringify(others)}`, Object.keys(others).length === 0);
    t.must("no mail is sent twice", doubledMails(stack) === 0);
    t.must(
      `what a killed pdf-worker had runs again within 15 s (published: ${recoveryBoundMs(pdf)} ms)`,
      longestMs <= 15_000,
    );
    t.must("some renders were killed", t.size === "short" || lost > 0);
    t.must("the mail's bound is published", recoveryBoundMs(email) <= 30_000);
  },
});

async function isOver({ db }: Stack): Promise<boolean> {
  const { waiting = 0, started = 0 } = await runsByState(db);
  return waiting + started === 0;
}

async function deliveriesByState({ db }: Stack): Promise<Record<string, number>> {
  const { rows } = await sql<{ state: string; n: number }>`
    SELECT state, count(*)::int AS n FROM email_deliveries GROUP BY state`.execute(db.kysely);
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** Renders that ended with their worker; and the longest time from such a start to the next one, that before the kill included. */
async function lostRenders({ db }: Stack): Promise<{ lost: number; longestMs: number }> {
  const { rows } = await sql<{ lost: number; longestMs: number }>`
    SELECT count(*)::int AS lost,
      coalesce(max(extract(epoch FROM a.ended_at - a.started_at) * 1000), 0)::float8 AS longest_ms
    FROM job_attempts a JOIN job_runs r ON r.id = a.run_id
    WHERE a.outcome = 'lost' AND r.queue = 'pdf'`.execute(db.kysely);
  return rows[0] ?? { lost: 0, longestMs: 0 };
}
