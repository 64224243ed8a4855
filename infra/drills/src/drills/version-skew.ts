import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { runsByState, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { metricOf } from "../metrics.ts";
import type { Stack } from "../stack/stack.ts";
import { impatientForRollout } from "../tuning.ts";

/** Producers are rolled out before workers: what those do not know waits for them. */
export const versionSkew = defineDrill({
  name: "version-skew",
  promise:
    "a new version and a new job reach old workers: put off, counted and said, done after the rollout, no dead letter",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "newer contracts being put off",
      file: "packages/jobs/src/attempt.ts",
      find: "return postpone(error, NEWER_WAIT_MS, {",
      replace: "return end(new PermanentError(error.code, error.message)) ?? postpone(error, 0, {",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1 },
      echoWorkers: 2,
      tuning: t.sized([impatientForRollout], []),
    });
    const each = t.sized(10, 100);
    const requestIds = Array.from({ length: 3 * each }, () => crypto.randomUUID());
    const old = stack.replicas("echo-worker");

    t.tell("a newer release asks for what old workers do not know");
    const newer = [
      { name: "echo", v: 2 },
      { name: "reverberate", v: 1 },
      { name: "echo", v: 1 },
    ];
    await stack.otherTeam.queue("drill").addBulk(
      requestIds.map((requestId, n) => {
        const { name, v } = newer[n % newer.length] ?? { name: "echo", v: 1 };
        return { name, data: { v, payload: { id: `n${n}` }, meta: { requestId } } };
      }),
    );
    const putOff = async () => {
      const counts = old.map(({ opsUrl }) =>
        metricOf(opsUrl, "ballast_errors_total", { code: "newer_than_worker" }),
      );
      return (await Promise.all(counts)).reduce((sum, n) => sum + n, 0);
    };
    const saysWhy = async () => {
      const { body } = await stack.api.get(`/v1/jobs/${requestIds[0]}`);
      return /newer_than_worker/.test(body?.waits?.message);
    };
    const completed = async () => (await runsByState(stack.db))["completed"] ?? 0;
    // Whatever does not come about is seen below.
    await until(async () => (await putOff()) >= 2 * each && (await completed()) === each, {
      deadlineMs: 20_000,
    }).catch(() => {});
    const isSaid = await until(saysWhy, { deadlineMs: 10_000 }).catch(() => false);
    // Long enough for each to be put off again.
    await pause(t.sized(0, 65_000), undefined, { signal: t.signal });
    const putOffCount = await putOff();
    const doneBefore = await completed();

    t.tell("workers are rolled out");
    await Promise.all(old.map(() => stack.start("echo-worker", { ECHO_RELEASE: "2" })));
    await Promise.all(old.map((worker) => worker.stop()));
    const doneMs = await untilAllOver(stack.db, 60_000);
    const after = await runsByState(stack.db);

    t.figure("newer", 2 * each);
    t.figure("putOff", putOffCount);
    t.figure("doneBefore", doneBefore);
    t.figure("completed", after["completed"] ?? 0);
    t.figure("dead", after["dead"] ?? 0);
    t.figure("doneAfterRolloutMs", doneMs ?? -1);
    t.must("what old workers know is done meanwhile", doneBefore === each);
    t.must("each newer one is put off", putOffCount >= 2 * each);
    t.must("its page says why it waits", isSaid);
    t.must("all is done after the rollout", after["completed"] === 3 * each);
    t.must("within 40 s", doneMs !== undefined && doneMs <= 40_000);
    t.must("none is dead, and no attempt was counted", (await countedAttempts(stack)) === 0);
  },
});

async function countedAttempts({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT (SELECT count(*) FROM dead_letters)::int
      + coalesce(sum(attempts_made), 0)::int AS n FROM job_runs`.execute(db.kysely);
  return rows[0]?.n ?? 0;
}
