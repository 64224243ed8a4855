import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

const PAD = "x".repeat(10_000);

/** Redis fills up: the API refuses new work before it is full, and a full one drains with no hand. */
export const engineFull = defineDrill({
  name: "engine-full",
  promise:
    "maxmemory reached with a backlog: the API sheds before 75 %, all drains with no hand, few log lines",
  onPostgres: {
    status: "not-applicable",
    why: "PostgreSQL has no limit of memory at which it refuses work",
  },
  sabotages: [
    {
      without: "the API looking at the engine's memory",
      file: "apps/api/src/admission.ts",
      find: "      if (memory.passed)\n",
      replace: "      if (false)\n",
    },
    {
      without: "a worker making room in a full Redis",
      file: "packages/jobs/src/engine/relief.ts",
      find: "if (this.#isTight) await this.#store.makeRoom();",
      replace: "",
    },
  ],
  async run(t) {
    const maxMb = t.sized(16, 128);
    const stack = await t.open({ redis: [`maxmemory ${maxMb}mb`] });
    const ask = () => stack.api.post("/v1/jobs", { job: "echo", payload: { id: "asked" } });

    t.tell("another team fills Redis, while the API is asked");
    let jobs = 0;
    let shedAt: number | undefined;
    let refusedByRedis = false;
    while (!refusedByRedis) {
      refusedByRedis = await addFat(stack, jobs).then(
        () => false,
        () => true,
      );
      if (!refusedByRedis) jobs += 20;
      const share = await memoryShare(stack);
      if (shedAt === undefined && share > 0.6) {
        // Measured once a second: nothing is added meanwhile.
        const shed = await until(async () => (await ask()).status === 503, {
          deadlineMs: 1_500,
          intervalMs: 100,
        }).catch(() => false);
        if (shed) shedAt = share;
      }
    }
    const refused = await ask();
    t.figure("jobsPutIn", jobs);
    t.figure("shedAtPercent", (shedAt ?? 0) * 100);
    t.must("the API refuses new work before 75 %", shedAt !== undefined && shedAt < 0.75);
    t.must(
      "it says when to come back",
      refused.status === 503 && Number(refused.headers.get("retry-after")) > 0,
    );

    t.tell("a worker comes, and nobody does anything else");
    const worker = await stack.start("echo-worker");
    const began = performance.now();
    const foreign = () =>
      numberOf(stack.db, sql`job_runs WHERE origin = 'external' AND state = 'completed'`);
    // Redis may have taken a part of the last batch before it refused the rest.
    await until(async () => (await foreign()) >= jobs && (await waiting(stack)) === 0, {
      deadlineMs: t.sized(60_000, 240_000),
      intervalMs: 200,
    }).catch(() => {});
    t.figure("drained", await foreign());
    t.figure("drainedMs", performance.now() - began);
    t.must("everything drains", (await foreign()) >= jobs && (await waiting(stack)) === 0);
    const again = await until(async () => (await ask()).status === 202, {
      deadlineMs: 20_000,
      intervalMs: 200,
    }).catch(() => false);

    const lines = worker.log().length;
    t.figure("workerLogLines", lines);
    t.must("the API takes work again", again === true);
    t.must("the worker's log stays short", lines < 500);
  },
});

const addFat = ({ otherTeam }: Stack, from: number) =>
  otherTeam.queue("drill").addBulk(
    Array.from({ length: 20 }, (_, n) => ({
      name: "echo",
      data: { v: 1, payload: { id: `fat-${from + n}`, pad: PAD } },
      opts: { jobId: `fat-${from + n}` },
    })),
  );

async function memoryShare({ otherTeam }: Stack): Promise<number> {
  const info = (await otherTeam.redis()?.info("memory")) ?? "";
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1]);
  return field("used_memory") / field("maxmemory");
}

const waiting = async ({ otherTeam }: Stack): Promise<number> => {
  const counts = await otherTeam.queue("drill").getJobCounts("waiting", "active", "prioritized");
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
};
