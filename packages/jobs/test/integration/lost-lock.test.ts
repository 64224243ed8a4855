import { describeEachEngine, until } from "@ballast/testing";
import { Redis } from "ioredis";
import pg from "pg";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { queue, type Setup, setup, testJob } from "./setup.ts";

/** Let the engine forget whose job this is, as it does when a lock runs out. */
async function stealLock(t: Setup, engineJobId: string): Promise<void> {
  if (t.url.startsWith("redis")) {
    const redis = new Redis(t.url);
    await redis.del(`${t.prefix}:${queue.name}:${engineJobId}:lock`);
    redis.disconnect();
    return;
  }
  const client = new pg.Client({ connectionString: t.url });
  await client.connect();
  await client.query(
    "update bullmq.job set lock_token = 'nobody', locked_until_ms = 0 where queue = $1 and id = $2",
    [queue.name, engineJobId],
  );
  await client.end();
}

describeEachEngine("a worker that lost its lock", (engine) => {
  test("and finished all the same is believed: the work is not done again", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let ran = 0;
    const handler = handle(job, async ({ runId }) => {
      ran += 1;
      await t.queue.pause(); // nobody is given the copy while this start still ends, slow as that may be
      await stealLock(t, runId);
      return { done: `by start ${ran}` };
    });
    await t.work([handler], { lockDurationMs: 30_000 }); // or a slow machine would have it told to stop
    const dispatcher = await t.dispatch();
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    dispatcher.nudge();

    expect((await t.reach(requestId, "completed")).run.result).toEqual({ done: "by start 1" });
    // The engine gives its copy out again, and is told what is stored.
    await t.queue.resume();
    const settled = await until(async () => {
      const copy = await t.engine.find(queue.name, runId);
      return copy?.state === "completed" ? copy : undefined;
    });
    expect(settled.result).toEqual({ done: "by start 1" });
    expect(ran).toBe(1);
  });

  test("is told to stop, and its attempt is shown as interrupted", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const causes: unknown[] = [];
    const handler = handle(job, async ({ runId, signal }) => {
      if (causes.length === 1) return { done: "by another start" };
      await t.queue.pause();
      await stealLock(t, runId);
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      causes.push(signal.reason);
      throw signal.reason;
    });
    await t.work([handler]);
    const dispatcher = await t.dispatch();
    const { requestId } = await t.ask(job, { thing: "a" });
    dispatcher.nudge();

    await until(async () => (await t.view(requestId)).attempts[0]?.outcome === "interrupted");
    await t.queue.resume();
    const { attempts } = await t.reach(requestId, "completed");
    expect(String(causes[0])).toContain("lease_lost");
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["interrupted", "completed"]);
  });
});
