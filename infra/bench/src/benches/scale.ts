import { Redis } from "ioredis";
import { addDead, addHistory, addWaiting, type Backlog, settle } from "../backlog.ts";
import type { Bench, BenchContext } from "../bench.ts";
import { interleave, type Round, type Sample } from "../interleave.ts";

const FEW = 1_000;

/** Whether a job costs more where much has gathered. */
export const scale: Bench = {
  name: "scale",
  about:
    "CPU of client, Redis and PostgreSQL per job, asked and done, with 1,000,000 jobs waiting or dead, or 10 million rows of history, against 1,000",
  limitMs: 15 * 60_000,
  async run(context) {
    const many = context.sized(20_000, 1_000_000);
    const historyRows = context.sized(60_000, 10_000_000);
    const count = context.sized(1_000, 5_000);
    const rounds = context.sized(2, 5);
    const { url } = await context.servers.redis();
    const redis = new Redis(url);
    context.use({
      async [Symbol.asyncDispose]() {
        await redis.config("SET", "auto-aof-rewrite-percentage", "100");
        await redis.flushall();
        redis.disconnect();
      },
    });
    await redis.flushall();
    // A rewrite of the append-only file would fall into the turn of whoever comes next.
    await redis.config("SET", "auto-aof-rewrite-percentage", "0");

    const open = async (prefix: string): Promise<Backlog> => {
      const backlog = { url, prefix, databaseUrl: await context.servers.database() };
      await addWaiting(backlog, FEW);
      return backlog;
    };
    const perJob = async (of: string, jobs: number, load: () => Promise<void>) => {
      const before = await usedMemory(redis);
      await load();
      const bytes = (await usedMemory(redis)) - before;
      context.note(`Redis holds ${Math.round(bytes / jobs)} bytes for a job that ${of}`);
    };
    const few = await open("few");
    await addDead(few, FEW);
    const waiting = await open("waiting");
    await perJob("waits", many, () => addWaiting(waiting, many));
    const dead = await open("dead");
    await perJob("died", many, () => addDead(dead, many));
    const history = await open("history");
    await addHistory(history, historyRows);

    const sides = { few, waiting, dead, history };
    for (const backlog of Object.values(sides)) await settle(backlog);
    const worker = await context.subject("our-worker");
    const turn = (command: "ask" | "drain", backlog: Backlog): Round => {
      const settings = { ...backlog, count };
      return async () => {
        // So that as many are left after the last turn.
        if (command === "drain") await addWaiting(backlog, count);
        return await withStores(context, redis, count, () => worker.ask(command, settings));
      };
    };
    for (const [command, word] of [
      ["drain", "done"],
      ["ask", "asked"],
    ] as const) {
      const turns = {
        few: turn(command, sides.few),
        waiting: turn(command, sides.waiting),
        dead: turn(command, sides.dead),
        history: turn(command, sides.history),
      };
      const seen = await interleave(turns, { rounds, signal: context.signal });
      context.table(`${count} jobs ${word}`, seen, ["few", "waiting", "dead", "history"]);
      const against = {
        waiting: `${many} waiting`,
        dead: `${many} dead`,
        history: `${historyRows} rows of history`,
      };
      for (const ours of ["waiting", "dead", "history"] as const)
        context.compare(seen, {
          ours,
          theirs: "few",
          against: `${FEW} jobs, a job ${word} beside ${against[ours]}`,
          figure: "cpuOfAll",
          unit: "CPU-s per 10,000",
          goal: { atMost: 1.1 },
        });
    }
  },
};

/** Add what the stores spent to what the client says it did. */
async function withStores(
  { servers }: BenchContext,
  redis: Redis,
  count: number,
  work: () => Promise<Sample>,
): Promise<Sample> {
  const spent = async () => servers.postgresCpuSeconds() + (await redisCpuSeconds(redis));
  const before = await spent();
  const sample = await work();
  const ofStores = (((await spent()) - before) / count) * 10_000;
  return { ...sample, cpuOfAll: (sample["cpuSecondsPer10k"] ?? 0) + ofStores };
}

const usedMemory = async (redis: Redis): Promise<number> =>
  numberIn(await redis.info("memory"), "used_memory");

/** Of its main thread and its helpers, without children that rewrite files. */
async function redisCpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  return numberIn(info, "used_cpu_sys") + numberIn(info, "used_cpu_user");
}

const numberIn = (info: string, name: string): number =>
  Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1] ?? 0);
