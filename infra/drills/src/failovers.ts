import { setTimeout as pause } from "node:timers/promises";
import { type RedisProcess, type RedisTopology, until } from "@ballast/testing";
import { Redis } from "ioredis";
import { sql } from "kysely";
import { doubledEffects, numberOf, statesOf, untilAllOver } from "./count.ts";
import type { DrillContext } from "./drill.ts";
import { load } from "./load.ts";
import type { Reply } from "./stack/client.ts";
import type { Stack } from "./stack/stack.ts";
import { impatientReconciler, quickDrillLock } from "./tuning.ts";

/** A Redis of several servers, one of which has the drill's queue. */
interface Failing extends RedisTopology {
  /** Who has it now, and those that copy it. */
  roles(): Promise<{ master: RedisProcess; replicas: readonly RedisProcess[] }>;
}

interface Fails {
  readonly stack: Stack;
  readonly redis: Failing;
  readonly times: number;
  readonly ask: (id: string) => Promise<Reply>;
  readonly signal: AbortSignal;
}

/** What the first failover forgets: asked for, handed over, and on no other server. */
const FORGOTTEN = 40;

/**
 * Kill the master under a steady load, again and again; each time another server takes over, and the
 * one that was killed comes back as its replica. The first master dies with jobs that it acknowledged
 * and never passed on.
 */
export async function throughFailovers(
  t: DrillContext,
  redis: Failing,
  { times, gapMs }: { readonly times: number; readonly gapMs: number },
): Promise<void> {
  const stack = await t.open({
    apps: { api: 2 },
    echoWorkers: 2,
    // Instead of the one server that a stack has by itself, which stands idle.
    env: { QUEUE_URL: redis.url, ECHO_MS: "100", ECHO_CONCURRENCY: "2" },
    tuning: t.sized([quickDrillLock, impatientReconciler], []),
  });
  const ask = (id: string) => stack.api.post("/v1/jobs", { job: "echo", payload: { id } });
  const over = new AbortController();
  t.tell("requests at a steady rate, and the master is killed");
  const running = load({
    perSecond: t.sized(15, 20),
    seconds: 600,
    request: (n) => ask(`n${n}`),
    signal: AbortSignal.any([over.signal, t.signal]),
  });
  await pause(1_000, undefined, { signal: t.signal });

  const failing = { stack, redis, times, ask, signal: t.signal };
  const { gaps, forgotten, isBack } = await overAndOver(failing).finally(() => over.abort());
  const report = await running;
  t.must("the server that takes over is given work within 30 s", isBack);
  const accepted = [...report.accepted, ...forgotten];
  const doneMs = await untilAllOver(stack.db, t.sized(40_000, 180_000));
  const states = await statesOf(stack.db, accepted);
  const readded = readdedBy(stack);
  const p95Ms = gaps.sort((a, b) => a - b)[Math.ceil(gaps.length * 0.95) - 1] ?? 0;

  t.figure("failovers", times);
  t.figure("requests", report.sent + FORGOTTEN);
  t.figure("refused", report.refusedCount);
  t.figure("gapMedianMs", gaps[Math.floor(gaps.length / 2)] ?? 0);
  t.figure("gapP95Ms", p95Ms);
  t.figure("addedAgain", readded);
  t.figure("completed", states["completed"] ?? 0);
  t.figure("doubledEffects", await doubledEffects(stack.db));
  t.figure("doneAfterMs", doneMs ?? -1);
  t.must(
    `no request is refused: ${Object.keys(report.refused)}`,
    report.refusedCount === 0 && !forgotten.includes(""),
  );
  t.must("every request is completed", states["completed"] === accepted.length);
  t.must("what the failover forgot is added again", readded > 0);
  t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
  t.must(`nothing is handed over for at most ${gapMs / 1_000} s (p95)`, p95Ms <= gapMs);
}

/** Kill each master in turn; all but the first have a replica that has what they had. */
async function overAndOver({ stack, redis, times, ask, signal }: Fails) {
  const gaps: number[] = [];
  const forgotten: string[] = [];
  for (let time = 0; time < times; time++) {
    const { master, replicas } = await redis.roles();
    const workers = time === 0 ? stack.replicas("echo-worker") : [];
    if (time === 0) {
      // What is done already cannot be forgotten any more.
      for (const worker of workers) worker.freeze();
      await cutOff(master, replicas);
      const replies = await Promise.all(Array.from({ length: FORGOTTEN }, (_, n) => ask(`f${n}`)));
      forgotten.push(...replies.map(({ headers }) => headers.get("location") ?? ""));
      await until(() => areHandedOver(stack, forgotten), { deadlineMs: 15_000, intervalMs: 50 });
    }
    const killedAt = new Date();
    await master.kill();
    for (const stopped of [...replicas, ...workers]) stopped.thaw();
    await until(async () => (await redis.roles()).master !== master, { deadlineMs: 30_000 });
    const isBack = await until(() => handedOverSince(stack, killedAt), {
      deadlineMs: 30_000,
      intervalMs: 100,
    }).catch(() => false);
    if (!isBack) return { gaps, forgotten, isBack };
    // Until nobody can tell any more: the first to be handed over may be followed by a second gap.
    await pause(3_000, undefined, { signal });
    gaps.push(await longestGapMs(stack, killedAt));
    if (time === times - 1) break;
    await master.start();
    await until(() => isReplicaAgain(master), { deadlineMs: 60_000, intervalMs: 200 });
  }
  return { gaps, forgotten, isBack: true };
}

/** From now on the master is alone with what it acknowledges, as behind a broken network. */
async function cutOff(master: RedisProcess, replicas: readonly RedisProcess[]): Promise<void> {
  for (const replica of replicas) replica.freeze();
  await withClient(master, async (client) => {
    await client.config("SET", "min-replicas-to-write", "0"); // it would refuse, and nothing be forgotten
    await client.call("CLIENT", "KILL", "TYPE", "replica");
  });
}

const isReplicaAgain = (server: RedisProcess): Promise<boolean> =>
  withClient(server, async (client) => /master_link_status:up/.test(await client.info()));

async function withClient<T>(
  { port }: RedisProcess,
  use: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis({ host: "127.0.0.1", port, password: "secret" });
  client.on("error", () => {}); // the command that meets it reports it
  return await use(client).finally(() => client.disconnect());
}

/** Whether the engine has acknowledged what these requests, by their `Location`, asked for. */
async function areHandedOver({ db }: Stack, locations: readonly string[]): Promise<boolean> {
  const ids = locations.map((location) => location.slice(location.lastIndexOf("/") + 1));
  const handed = sql`job_requests q JOIN job_runs r ON r.id = q.run_id
    WHERE q.id = ANY (${ids}::uuid[]) AND r.handed_at IS NOT NULL`;
  return (await numberOf(db, handed)) === ids.length;
}

const handedOverSince = async ({ db }: Stack, at: Date): Promise<boolean> =>
  (await numberOf(db, sql`job_runs WHERE handed_at > ${at}`)) > 0;

/** The longest time since just before `at` in which no run was handed over. */
async function longestGapMs({ db }: Stack, at: Date): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    SELECT coalesce(max(ms), 0)::float AS ms FROM (
      SELECT 1000 * extract(epoch FROM handed_at - lag(handed_at) OVER (ORDER BY handed_at)) AS ms
      FROM job_runs WHERE handed_at > ${at}::timestamptz - interval '1 second') gaps`.execute(
    db.kysely,
  );
  return rows[0]?.ms ?? 0;
}

/** Runs that the reconcilers say they added again. */
const readdedBy = (stack: Stack): number =>
  stack
    .replicas("api")
    .flatMap((replica) => replica.log())
    .filter(({ msg }) => msg === "runs reconciled")
    .reduce((sum, line) => sum + Number(line["readded"]), 0);
