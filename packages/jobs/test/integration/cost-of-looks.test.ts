import { describeOnRedis, startRedisProcess } from "@ballast/testing";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { openEngine } from "../../src/index.ts";
import { quiet } from "./setup.ts";

const JOBS_IN_EACH_STATE = 75_000;
/** A busy machine may interrupt Redis in any of them. */
const LOOKS = 10;

/** What a look at a queue could be tempted to walk. */
const FILL = `
  for n = 1, ${JOBS_IN_EACH_STATE} do
    redis.call("LPUSH", KEYS[1], n)
    for key = 2, 4 do redis.call("ZADD", KEYS[key], n * 4096, n) end
  end`;

describeOnRedis("with 300,000 jobs in a queue", () => {
  test("its census takes less than 5 ms of Redis", async () => {
    await using t = await setup();
    const { cost, found } = await t.cheapest(() => t.engine.census("pdf"));
    expect(found.counts).toMatchObject({
      waiting: JOBS_IN_EACH_STATE + 1,
      failed: JOBS_IN_EACH_STATE,
    });
    expect(found.headSince).not.toBeNull();
    expect(cost).toBeLessThan(5_000);
  });

  test("one of them is found in less than 0.5 ms of Redis, also behind all that wait", async () => {
    await using t = await setup();
    const { cost, found } = await t.cheapest(() => t.engine.find("pdf", "head"));
    expect(found).toMatchObject({ state: "waiting" });
    expect(cost).toBeLessThan(500);
  });
});

/** A queue with jobs of all states behind a real one. */
async function setup() {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedisProcess({ settings: [`save ""`] }));
  const url = `redis://127.0.0.1:${server.port}`;
  const engine = stack.use(openEngine(url, { log: quiet, prefix: "bull" }));
  await engine.add("pdf", [{ id: "head", name: "x", data: {}, priority: 0 }]);
  const redis = stack.adopt(new Redis(url), (client) => client.disconnect());
  const keys = ["wait", "prioritized", "delayed", "failed"].map((state) => `bull:pdf:${state}`);
  await redis.eval(FILL, keys.length, ...keys);
  const opened = stack.move();
  return {
    engine,
    /** The least microseconds that Redis spent on one of several looks, and what it answered. */
    async cheapest<T>(look: () => Promise<T>) {
      const costs: number[] = [];
      for (let n = 1; n < LOOKS; n += 1) costs.push(await costOf(look));
      const found = await look();
      return { cost: Math.min(...costs), found };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };

  async function costOf(look: () => Promise<unknown>): Promise<number> {
    await redis.config("RESETSTAT");
    await look();
    return microseconds(await redis.info("commandstats"));
  }
}

/** What Redis spent on commands since its counters were reset. */
const microseconds = (stats: string): number =>
  [...stats.matchAll(/^cmdstat_(?!config)[^:]+:.*?usec=(\d+)/gm)].reduce(
    (sum, [, usec]) => sum + Number(usec),
    0,
  );
