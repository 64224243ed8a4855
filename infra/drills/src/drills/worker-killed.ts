import { setTimeout as pause } from "node:timers/promises";
import { email, pdf, recoveryBoundMs } from "@ballast/contracts";
import { sql } from "kysely";
import { doubledMails, runsByState, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

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
    const stack = await t.open({ apps: { api: 1, "pdf-worker": 2, "email-worker": 2 } });
    const [count, everyMs, kills] = t.sized([20, 1_500, 3], [500, 3_000, Number.POSITIVE_INFINITY]);
    const invoices = await Promise.all(
      Array.from({ length: count }, (_, n) => stack.invoice({ email: `nr-${n}@kundin.example` })),
    );
    // One in ten is taken by a server that then says nothing, so that a kill leaves a true question.
    stack.smtp.behave((recipient) =>
      /^nr-\d*0@/.test(recipient) ? { kind: "silence", at: "message" } : { kind: "accept" },
    );
    for (const { invoice } of invoices) await stack.api.post(`/v1/invoices/${invoice.id}/send`);

    t.tell("workers are killed");
    let killed = 0;
    while (killed < kills && !(await isOver(stack))) {
      await pause(everyMs);
      const app = killed % 2 === 0 ? "email-worker" : "pdf-worker";
      const workers = stack.replicas(app);
      await workers[Math.floor(t.random() * workers.length)]?.kill();
      killed += 1;
      await stack.start(app);
    }
    stack.smtp.behave({ kind: "accept" });
    for (const worker of stack.replicas("email-worker")) await worker.kill();
    await stack.start("email-worker");
    t.tell("what is left is done");
    // As if the 90 s had passed that a claim on a mail lasts; then nobody knows, and a person is asked.
    await sql`UPDATE email_deliveries SET lease_until = now() WHERE state = 'sending'`.execute(
      stack.db.kysely,
    );
    await untilAllOver(stack.db, 120_000);

    const { sent = 0, unknown = 0, ...others } = await deliveriesByState(stack);
    const longestMs = await longestRecoveryMs(stack);
    t.figure("deliveries", count);
    t.figure("killed", killed);
    t.figure("sent", sent);
    t.figure("unknown", unknown);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("longestPdfRecoveryMs", longestMs);
    t.must("every delivery is sent or a question to a person", sent + unknown === count);
    t.must(`none is left: ${JSON.stringify(others)}`, Object.keys(others).length === 0);
    t.must("no mail is sent twice", doubledMails(stack) === 0);
    t.must(
      `what a killed pdf-worker had runs again within 15 s (published: ${recoveryBoundMs(pdf)} ms)`,
      longestMs <= 15_000,
    );
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

/** From a lost attempt's start to the next one's, the part of it before the kill included. */
async function longestRecoveryMs({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ ms: number | null }>`
    SELECT max(extract(epoch FROM a.ended_at - a.started_at) * 1000)::float8 AS ms
    FROM job_attempts a JOIN job_runs r ON r.id = a.run_id
    WHERE a.outcome = 'lost' AND r.queue = 'pdf'`.execute(db.kysely);
  return rows[0]?.ms ?? 0;
}
