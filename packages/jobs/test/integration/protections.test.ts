import { describeEachEngine, startRedisProcess, until } from "@ballast/testing";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { CANARY } from "../../src/engine/canary-job.ts";
import { handle, openEngine } from "../../src/index.ts";
import { untilFit } from "../../src/unfit.ts";
import { queue, quiet, quietTelemetry, type Setup, setup, testJob } from "./setup.ts";

const PATIENT = { timeout: 120_000 };
const soon = { deadlineMs: 60_000 };
const good = { v: 1, payload: { thing: "a" } };

const ended = (t: Setup, jobId: string) =>
  until(async () => {
    const found = await t.theirs(jobId);
    return found?.run.finishedAt ? found : undefined;
  }, soon);

describeEachEngine("a canary", (engine) => {
  test("comes through, leaves nothing behind, and takes nothing with it", PATIENT, async () => {
    await using t = await setup(engine);
    await t.work([handle(testJob(), async () => ({ done: "" }))]);
    await t.queue.add("do-thing", good, { jobId: "one" });
    await ended(t, "one");
    for (let round = 0; round < 3; round++) {
      await t.engine.sendCanary(queue.name, "host:1@1.2.3");
      await until(
        async () => (await t.queue.getJob("ballast-canary-host-1@1.2.3")) === undefined,
        soon,
      );
    }

    const counts = await t.queue.getJobCounts("completed", "failed", "wait", "active");
    expect(counts).toMatchObject({ completed: 1, failed: 0, active: 0 });
    expect(
      await t.db.kysely.selectFrom("jobRuns").select("id").where("job", "=", CANARY).execute(),
    ).toEqual([]);
  });
});

describeEachEngine("poison", (engine) => {
  // jsonb holds nothing that cannot be parsed, and PostgreSQL drops no rows.
  if (engine.kind !== "redis")
    return test("jams no queue that keeps its jobs as jsonb", async () => {
      await using t = await setup(engine);
      await t.queue.add("do-thing", { hello: "world" });
      expect(await t.engine.jammed(queue.name)).toEqual([]);
    });

  test.each([
    ["data that ends in the middle", { data: '{"v":1,"payl', opts: "{}" }, "unparsable"],
    ["options that are none", { data: "{}", opts: "[[[" }, "unparsable"],
    ["a time that is none", { data: "{", opts: "{}", timestamp: "soon" }, "unparsable"],
    ["no envelope and no name", { v: "1" }, "no_envelope"],
    ["no hash at all", undefined, "no_envelope"],
  ])(
    "that is a job with %s is parked once, and no job waits for it",
    PATIENT,
    async (_title, hash, code) => {
      await using t = await setup(engine);
      const redis = new Redis(t.url);
      const key = `${t.prefix}:${queue.name}`;
      try {
        await t.queue.add("do-thing", good, { jobId: "before" });
        if (hash !== undefined)
          await redis.hset(`${key}:poison`, { name: "do-thing", timestamp: 1, ...hash });
        await redis.lpush(`${key}:wait`, "poison");
        await t.queue.add("do-thing", good, { jobId: "after" });
        await t.work([handle(testJob(), async () => ({ done: "" }))]);

        const poison = await ended(t, "poison");
        const [before, after] = [await ended(t, "before"), await ended(t, "after")];

        expect(poison.run).toMatchObject({ state: "dead", errorCode: code });
        expect([before.run.state, after.run.state]).toEqual(["completed", "completed"]);
        const letters = await t.db.kysely.selectFrom("deadLetters").select("code").execute();
        expect(letters).toEqual([{ code }]);
        await until(async () => (await t.engine.state(queue.name)).active === 0, soon);
        if (code === "unparsable") expect(await redis.exists(`${key}:poison`)).toBe(0);
      } finally {
        redis.disconnect();
      }
    },
  );

  test(
    "is not all: a Redis that would drop jobs is refused, one that keeps them is taken",
    PATIENT,
    async () => {
      await using t = await setup(engine);
      const keeps = { ping: async () => {}, assertFit: () => t.engine.assertFit() };
      expect(await untilFit(keeps, quietTelemetry())).toBe(true);

      const settings = ['save ""', "maxmemory-policy allkeys-lru"];
      await using evicting = await startRedisProcess({ settings });
      await using itsEngine = openEngine(`redis://127.0.0.1:${evicting.port}`, { log: quiet });
      await until(() => itsEngine.ping().then(() => true), soon);
      const drops = { ping: async () => {}, assertFit: () => itsEngine.assertFit() };
      await expect(untilFit(drops, quietTelemetry())).rejects.toThrow(/allkeys-lru.*noeviction/);
    },
  );
});
