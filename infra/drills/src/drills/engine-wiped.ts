import { until } from "@ballast/testing";
import { type RawBuilder, sql } from "kysely";
import { doubledEffects, runsByState, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Reply } from "../stack/client.ts";
import type { Stack } from "../stack/stack.ts";
import { eagerReconciler } from "../tuning.ts";

/** The engine loses all it had, with jobs in every state: it is a copy, and is made again. */
export const engineWiped = defineDrill({
  name: "engine-wiped",
  promise:
    "the engine is emptied with 1,000 jobs in every state: all that is not over runs, what is over does not",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the epoch, by which a wiped engine is known",
      file: "packages/jobs/src/reconciler.ts",
      find: "const wiped = epoch === null || epoch !== (await store.readMark(EPOCH_MARK));",
      replace: "const wiped = false;",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1 },
      echoWorkers: 1,
      env: { ECHO_MS: "100", ECHO_CONCURRENCY: "10" },
      tuning: t.sized([eagerReconciler], []),
    });
    const count = t.sized(200, 1_000);
    const ask = (id: string, more: object = {}) =>
      stack.api.post("/v1/jobs", { job: "echo", payload: { id }, ...more });

    t.tell(`${count} jobs: done, dead, running, between attempts, waiting`);
    const early = await Promise.all(
      Array.from({ length: count / 4 }, (_, n) => ask(n % 10 ? `early-${n}` : `die-${n}`)),
    );
    await untilAllOver(stack.db, 30_000);
    const retrying = await Promise.all(
      Array.from({ length: count / 20 }, (_, n) => ask(`retry-${n}`)),
    );
    await until(async () => (await failedOnce(stack)) === retrying.length, { deadlineMs: 30_000 });
    const waiting: Reply[] = [];
    // In a short drill none runs at that moment: what a worker had is looked for after a minute.
    if (t.size === "full") waiting.push(await ask("bare-takes-5000-1"));
    await stack.otherTeam.queue("drill").pause();
    waiting.push(
      ...(await Promise.all(
        Array.from({ length: count * 0.7 }, (_, n) => ask(n % 3 ? `late-${n}` : `bare-${n}`)),
      )),
    );
    await until(async () => (await notHandedOver(stack)) === 0, { deadlineMs: 30_000 });
    const before = await runsByState(stack.db);
    const { at, overIds, idleIds } = await momentOfTruth(stack);

    t.tell("the engine is emptied");
    await stack.engine.wipe();
    const wipedAt = performance.now();
    const isSoonMs = t.sized(15_000, 45_000);
    const isIdleDone = await until(async () => (await leftOf(stack, idleIds)) === 0, {
      deadlineMs: isSoonMs,
      intervalMs: 100,
    }).catch(() => false);
    const idleMs = performance.now() - wipedAt;
    // Those that a worker had may be looked for only once they were silent for a minute.
    if (isIdleDone) await untilAllOver(stack.db, 100_000);
    const asked = [...early, ...retrying, ...waiting].map(
      ({ headers }) => headers.get("location") ?? "",
    );
    const states = await statesOf(stack.db, asked);
    const ranAgain = await startedSince(stack, overIds, at);

    for (const [state, n] of Object.entries(before)) t.figure(`${state}Before`, n ?? 0);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("dead", states["dead"] ?? 0);
    t.figure("overAndRanAgain", ranAgain);
    t.figure("doneAfterMs", idleMs);
    t.figure("doubledEffects", await doubledEffects(stack.db));
    const deaths = count / 4 / 10;
    t.must("most jobs were waiting", (before["waiting"] ?? 0) >= count * 0.7);
    t.must("every run that was not over runs", states["completed"] === asked.length - deaths);
    t.must("what was dead stays dead", states["dead"] === deaths);
    t.must("nothing that was over runs again", ranAgain === 0);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
    t.must(`what no worker had is done within ${isSoonMs / 1_000} s`, isIdleDone);
  },
});

const numberOf = async ({ db }: Stack, where: RawBuilder<unknown>): Promise<number> => {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM job_runs WHERE ${where}`.execute(db.kysely);
  return rows[0]?.n ?? 0;
};
const failedOnce = (stack: Stack) =>
  numberOf(stack, sql`attempts_made > 0 AND payload ->> 'id' LIKE 'retry-%'`);
const notHandedOver = (stack: Stack) => numberOf(stack, sql`handed_at IS NULL`);
const leftOf = (stack: Stack, runIds: readonly string[]) =>
  numberOf(stack, sql`id = ANY (${runIds}::uuid[]) AND finished_at IS NULL`);

/** The database's clock, the runs that are over and written down, and those that no worker has. */
async function momentOfTruth({ db }: Stack) {
  const { rows } = await sql<{ at: Date; overIds: string[]; idleIds: string[] }>`
    SELECT now() AS at,
      coalesce(array_agg(id::text) FILTER (WHERE finished_at IS NOT NULL), '{}') AS "overIds",
      coalesce(array_agg(id::text) FILTER (WHERE finished_at IS NULL
        AND running_attempt_id IS NULL), '{}') AS "idleIds"
    FROM job_runs`.execute(db.kysely);
  return rows[0] ?? { at: new Date(), overIds: [], idleIds: [] };
}

async function startedSince({ db }: Stack, runIds: readonly string[], at: Date): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(DISTINCT run_id)::int AS n FROM job_attempts
    WHERE run_id = ANY (${runIds}::uuid[]) AND started_at > ${at}`.execute(db.kysely);
  return rows[0]?.n ?? 0;
}
