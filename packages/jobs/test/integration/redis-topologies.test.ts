import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { openRunStore } from "@ballast/database";
import {
  createTestDatabase,
  describeOnRedis,
  type RedisTopology,
  startCluster,
  startRedisWithUsers,
  startSentinels,
  startTlsRedis,
  until,
} from "@ballast/testing";
import { Cluster, Redis } from "ioredis";
import { expect, test } from "vitest";
import {
  createRequests,
  handle,
  openEngine,
  PermanentError,
  startDispatcher,
  startWorker,
  TransientError,
} from "../../src/index.ts";
import { queue, quiet, quietTelemetry, testJob } from "./setup.ts";

const USERS = join(import.meta.dirname, "../../../../infra/redis/users.acl");
const job = testJob({ attempts: 2, backoff: { delayMs: 10 } });

/** All that the runtime asks of an engine: take, retry, bury, list, pause, remove, remember, watch. */
async function useAllOf({ url }: RedisTopology) {
  await using database = await createTestDatabase();
  await using engine = openEngine(url, { log: quiet });
  const store = openRunStore(database.db);
  const telemetry = quietTelemetry();
  const requests = createRequests({ store });
  await using dispatcher = await startDispatcher({ store, engine, telemetry });
  const tries = new Map<string, number>();
  const handler = handle(job, async ({ payload: { thing } }) => {
    tries.set(thing, (tries.get(thing) ?? 0) + 1);
    if (thing === "dies") throw new PermanentError("no_use", "it never will");
    if (thing === "stumbles" && tries.get(thing) === 1) throw new TransientError("hiccup", "again");
    return { done: thing };
  });
  const ask = (thing: string, priority = 0) =>
    database.db.transaction((tx) =>
      requests.ask(tx, job, { thing }, { companyId: null, requestedBy: "test", priority }),
    );

  await engine.assertFit();
  await engine.setPaused(queue.name, true);
  for (const [thing, priority] of [["works"], ["stumbles", 5], ["dies"]] as const)
    await ask(thing, priority);
  dispatcher.nudge();
  await until(async () => (await engine.state(queue.name)).waiting === 3);
  await engine.setPaused(queue.name, false);
  await using _worker = await startWorker({ queue, handlers: [handler], engine, store, telemetry });
  await engine.sendCanary(queue.name, "test");
  const { jobs } = await until(async () => {
    const failed = await engine.failed(queue.name, { limit: 10 });
    return failed.jobs.length === 1 ? failed : undefined;
  });
  await until(() => tries.get("stumbles") === 2 && tries.get("works") === 1);

  const [dead] = jobs;
  if (dead === undefined) throw new Error("unreachable");
  expect((await engine.findFailed(queue.name, dead))?.reason).toContain("it never will");
  const { engineJobId } = dead;
  expect(await engine.removeFailed(queue.name, [engineJobId])).toEqual([engineJobId]);
  expect(await engine.jammed(queue.name)).toEqual([]);
  await engine.writeEpoch("this one");
  expect(await engine.readEpoch()).toBe("this one");
  expect(await engine.memory()).toBeNull();
}

describeOnRedis("Redis as people run it", () => {
  test("with TLS by an authority of one's own, a user and a numbered database", async () => {
    await using redis = await startTlsRedis();
    await useAllOf(redis);
  });

  test("behind sentinels, which are asked for the master", async () => {
    await using redis = await startSentinels();
    await useAllOf(redis);
  });

  test("as a cluster, where each queue has all its keys on one node, as a user who may do what is listed", async () => {
    await using redis = await startCluster({ users: readFileSync(USERS, "utf8") });
    await useAllOf(redis);
    const [node] = redis.servers;
    await using cluster = {
      client: new Cluster([{ host: "127.0.0.1", port: node?.port ?? 0 }], {
        redisOptions: { password: "secret" },
      }),
      [Symbol.asyncDispose]: async () => cluster.client.disconnect(),
    };
    expect(await cluster.client.exists("{bull:test}:test:meta")).toBe(1);
  });

  test("alone, as a user who may do what is listed, and nothing else", async () => {
    await using redis = await startRedisWithUsers(readFileSync(USERS, "utf8"));
    await useAllOf(redis);
    const client = new Redis(redis.url);
    try {
      await expect(client.flushall()).rejects.toThrow("NOPERM");
      await expect(client.config("GET", "*")).rejects.toThrow("NOPERM");
      await expect(client.get("somebody:else")).rejects.toThrow("NOPERM");
    } finally {
      client.disconnect();
    }
  });
});

test("the listed rights are those that BullMQ's scripts and this package ask for, each one", () => {
  const granted = new Set(
    [...readFileSync(USERS, "utf8").matchAll(/ \+([a-z|]+)/g)].map(([, command = ""]) => command),
  );
  const scripts = join(dirname(createRequire(import.meta.url).resolve("bullmq")), "../esm/scripts");
  const called = readdirSync(scripts)
    .filter((file) => file.endsWith(".js"))
    .flatMap((file) => [
      ...readFileSync(join(scripts, file), "utf8").matchAll(/\brcall\(\s*['"]([A-Za-z]+)/g),
    ])
    .map(([, command = ""]) => command.toLowerCase());
  expect(called.length).toBeGreaterThan(100);
  const outsideOfScripts =
    "hello ping quit info select client|setname client|list cluster|slots cluster|shards cluster|info eval evalsha multi exec discard bzpopmin hscan sscan";
  expect([...granted].sort()).toEqual(
    [...new Set([...called, ...outsideOfScripts.split(" ")])].sort(),
  );
});
