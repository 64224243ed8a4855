import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { removeOldCompleted } from "../../src/engine/sweep.ts";
import { handle } from "../../src/index.ts";
import { type Setup, setup, testJob } from "./setup.ts";

/** A queue with 25 completed jobs, whose ids rise with their age. */
async function completeJobs(t: Setup) {
  await t.work([handle(testJob(), async () => ({ done: "" }))]);
  const data = { v: 1, payload: { thing: "a" } };
  await t.queue.addBulk(Array.from({ length: 25 }, () => ({ name: "do-thing", data })));
  await until(async () => (await t.queue.getCompletedCount()) === 25);
}

describeEachEngine("the sweep of completed jobs", (engine) => {
  test("removes all that are too old, however many", async () => {
    await using t = await setup(engine);
    await completeJobs(t);
    await removeOldCompleted(t.queue, { ageSeconds: 3_600, count: 100 });
    expect(await t.queue.getCompletedCount()).toBe(25);
    await removeOldCompleted(t.queue, { ageSeconds: 0, count: 100 }, { batchCount: 10 });
    expect(await t.queue.getCompletedCount()).toBe(0);
  });

  test("removes those that are too many, but none that is new", async () => {
    await using t = await setup(engine);
    await completeJobs(t);
    const kept = { ageSeconds: 3_600, count: 5 };
    await removeOldCompleted(t.queue, kept, { batchCount: 8 });
    expect(await t.queue.getCompletedCount()).toBe(25);
    await removeOldCompleted(t.queue, kept, { batchCount: 8, leftMs: 0 });
    expect(await t.queue.getCompletedCount()).toBe(5);
  });
});
