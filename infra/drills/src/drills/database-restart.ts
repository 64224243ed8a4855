import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import {
  causesOfDeath,
  doubledEffects,
  doubledMails,
  numberOf,
  runsByState,
  statesOf,
  untilAllOver,
} from "../count.ts";
import { defineDrill } from "../drill.ts";
import { insist, load } from "../load.ts";
import type { Reply } from "../stack/client.ts";
import type { Stack } from "../stack/stack.ts";

/** How many jobs end while it is away, each time. */
const ENDS = 20;

/** The system of record restarts under load, once in order and once not. */
export const databaseRestart = defineDrill({
  name: "database-restart",
  promise:
    "PostgreSQL restarts under load: a clean 503 with Retry-After while it is away, then all accepted work is done, once",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the API knowing a database that is away",
      file: "apps/api/src/http/errors.ts",
      find: "if (thrown instanceof StoreUnavailableError || isDatabaseAway(thrown))",
      replace: "if (thrown instanceof StoreUnavailableError)",
    },
    {
      without: "ends being kept until PostgreSQL takes them",
      file: "packages/jobs/src/journal.ts",
      find: "ends = [...batch, ...ends];",
      replace: "",
    },
  ],
  async run(t) {
    const stack = await t.open({ apps: { api: 1, "email-worker": 1 }, echoWorkers: 1 });
    const [perSecond, seconds, awayMs] = t.sized([20, 6, 1_500], [20, 60, 5_000]);
    const invoices = await Promise.all(
      Array.from({ length: t.sized(8, 100) }, () => stack.invoice({ rendered: true })),
    );
    const answers: Reply[] = [];
    const ask = (n: number) => {
      const key = { "Idempotency-Key": `drill-${n}` };
      const invoice = n % 10 === 0 ? invoices[n / 10]?.invoice : undefined;
      return invoice === undefined
        ? stack.api.post("/v1/jobs", { job: "echo", payload: { id: `n${n}` } }, key)
        : stack.api.post(`/v1/invoices/${invoice.id}/send`, {}, key);
    };
    /** Jobs with nothing left to write but their end, and that while it is away. */
    const endWhileAway = async (outage: string) => {
      const ids = Array.from({ length: ENDS }, (_, n) => `calm-1000-${outage}-${n}`);
      const asked = await Promise.all(
        ids.map((id) => stack.api.post("/v1/jobs", { job: "echo", payload: { id } })),
      );
      const started = sql`job_runs WHERE state = 'started' AND payload ->> 'id' = ANY(${ids})`;
      await until(async () => (await numberOf(stack.db, started)) === ENDS, {
        deadlineMs: 20_000,
        intervalMs: 20,
      });
      return asked.map(({ headers }) => headers.get("location") ?? "");
    };

    t.tell("requests at a steady rate");
    const hear = (answer: Reply) => void answers.push(answer);
    const running = load({
      perSecond,
      seconds,
      request: (n) => insist(() => ask(n), { signal: t.signal, hear }),
    });
    await pause((seconds * 1_000) / 4, undefined, { signal: t.signal });
    t.tell("PostgreSQL stops in order");
    const calm = await endWhileAway("stopped");
    await stack.postgres.stop();
    await pause(awayMs, undefined, { signal: t.signal });
    await stack.postgres.start();
    await pause((seconds * 1_000) / 4, undefined, { signal: t.signal });
    t.tell("PostgreSQL is cut off");
    calm.push(...(await endWhileAway("killed")));
    await stack.postgres.kill();
    await pause(awayMs, undefined, { signal: t.signal });
    await stack.postgres.start();
    const backAt = performance.now();
    const report = await running;
    await untilAllOver(stack.db, 30_000);
    const { waiting = 0, started = 0 } = await runsByState(stack.db);
    // An end that got lost between engine and journal is copied after a minute of silence.
    await untilAllOver(stack.db, 90_000);
    const doneMs = performance.now() - backAt;
    const accepted = [...report.accepted, ...calm];
    const states = await statesOf(stack.db, accepted);
    const away = answers.filter(({ status }) => status === 503);
    const unclean = answers.filter(
      ({ status, headers }) => status !== 202 && !headers.has("retry-after"),
    );

    t.figure("requests", report.sent);
    t.figure("answersWhileAway", away.length);
    t.figure("uncleanAnswers", unclean.length);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("mails", stack.smtp.mails.length);
    t.figure("leftAfter30s", waiting + started);
    t.figure("doneAfterReturnMs", doneMs);
    const causes = await causesOfDeath(stack.db);
    t.figure("dead", causes || "none");
    t.must("some were told that it is away", away.length > 0);
    t.must(
      `each was told so cleanly, not by ${[...new Set(unclean.map(({ status }) => status))]}`,
      unclean.length === 0,
    );
    t.must("each came through in the end", report.refusedCount === 0);
    t.must(
      `every accepted one is completed; dead: ${causes}`,
      states["completed"] === accepted.length,
    );
    t.must("nearly all within 30 s of its return", waiting + started <= report.sent * 0.03);
    t.must("none was recorded twice", (await recordedTwice(stack)) === 0);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) + doubledMails(stack) === 0);
    t.must("no process has ended", stack.replicas().length === 3);
  },
});

/** Jobs that were recorded although the caller was told 503, and again when he came back. */
async function recordedTwice({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM (
      SELECT payload ->> 'id' FROM job_runs WHERE job = 'echo' GROUP BY 1 HAVING count(*) > 1) d`.execute(
    db.kysely,
  );
  return rows[0]?.n ?? 0;
}
