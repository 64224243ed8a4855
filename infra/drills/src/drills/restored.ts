import { until } from "@ballast/testing";
import { sql } from "kysely";
import { doubledEffects, numberOf, statesOf, untilAllOver } from "../count.ts";
import { type DrillContext, defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";
import { eagerReconciler } from "../tuning.ts";

/** As `infra/README.md` tells to: the truth comes back from yesterday, beside an engine that has nothing. */
export const restored = defineDrill({
  name: "restored",
  promise:
    "PostgreSQL is restored from a backup beside an empty engine: what waited then is done, what was done is not done again",
  sabotages: [
    {
      without: "the search for runs that the engine does not have",
      file: "packages/jobs/src/reconciler.ts",
      find: "const found = await store.silent(silentMs, PAGE + left);",
      replace: "const found: SilentRun[] = [];",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1 },
      echoWorkers: 1,
      env: { ECHO_MS: "20", ECHO_CONCURRENCY: "10" },
      tuning: t.sized([eagerReconciler], []),
    });
    const count = t.sized(50, 1_000);

    t.tell(`${count} jobs are done and ${count} wait; a backup is made`);
    const done = await ask(stack, "done", count);
    await untilAllOver(stack.db, 60_000);
    for (const worker of stack.replicas("echo-worker")) await worker.kill();
    const waiting = await ask(stack, "waiting", count);
    const untold = sql`job_runs WHERE handed_at IS NULL`;
    await until(async () => (await numberOf(stack.db, untold)) === 0, { deadlineMs: 30_000 });
    using backup = await stack.postgres.backUp();

    t.tell("the work goes on, and then the machine is lost");
    await stack.start("echo-worker");
    const lost = await ask(stack, "lost", count);
    await untilAllOver(stack.db, 60_000);
    await disaster(stack, backup);

    t.tell("the services start on what is left");
    const startedAt = performance.now();
    await Promise.all([stack.start("api"), stack.start("echo-worker")]);
    await untilAllOver(stack.db, t.sized(30_000, 90_000));
    const doneMs = performance.now() - startedAt;
    await judge(t, stack, { done, waiting, lost, doneMs });
  },
});

async function ask({ api }: Stack, kind: string, count: number): Promise<string[]> {
  const wishes = Array.from({ length: count }, (_, n) => ({ id: `${kind}-${n}` }));
  const replies = await Promise.all(
    wishes.map((payload) => api.post("/v1/jobs", { job: "echo", payload })),
  );
  return replies.map(({ headers }) => headers.get("location") ?? "");
}

async function disaster(stack: Stack, backup: { restore(): Promise<void> }): Promise<void> {
  await Promise.all(stack.replicas().map((replica) => replica.kill()));
  await backup.restore();
  await stack.engine.wipe();
}

interface Asked {
  readonly done: readonly string[];
  readonly waiting: readonly string[];
  readonly lost: readonly string[];
  readonly doneMs: number;
}

async function judge(
  t: DrillContext,
  stack: Stack,
  { done, waiting, lost, doneMs }: Asked,
): Promise<void> {
  const { completed = 0 } = await statesOf(stack.db, waiting);
  const { completed: stillDone = 0 } = await statesOf(stack.db, done);
  const { lost: unknown = 0 } = await statesOf(stack.db, lost);
  const doubled = await doubledEffects(stack.db);
  const attempts = await numberOf(stack.db, sql`job_attempts`);

  t.figure("waitedAndDone", completed);
  t.figure("attempts", attempts);
  t.figure("askedAfterTheBackup", lost.length);
  t.figure("doneAfterMs", doneMs);
  t.figure("doubledEffects", doubled);
  t.must("what waited in the backup is done", completed === waiting.length);
  t.must("what was done in the backup stays so", stillDone === done.length);
  t.must("what was asked for after it is not there", unknown === lost.length);
  t.must("nothing is done twice", doubled === 0 && attempts === done.length + waiting.length);
}
