import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle, RateLimitedError } from "../../src/index.ts";
import { setup, testJob } from "./setup.ts";

const RUNS = 150;
const WORKERS = 3;
const POSTPONES = 2;
/** A busy machine may keep a process from renewing a lock of a second; that is not what is tested. */
const PATIENT = { lockDurationMs: 20_000, stalledIntervalMs: 5_000 };

describeEachEngine("many workers that postpone at once", (engine) => {
  test("bring every run to its end, none dead and none counted", { timeout: 60_000 }, async () => {
    await using t = await setup(engine);
    // One attempt: whatever BullMQ took for a failure would be a death.
    const job = testJob({ attempts: 1 });
    const starts = new Map<string, number>();
    const postponing = handle(job, async ({ payload }) => {
      const nth = (starts.get(payload.thing) ?? 0) + 1;
      starts.set(payload.thing, nth);
      if (nth <= POSTPONES) throw new RateLimitedError("quota", "later", { retryAfterMs: 100 });
      return { done: "" };
    });
    for (let nth = 0; nth < WORKERS; nth++) await t.work([postponing], PATIENT);
    const dispatcher = await t.dispatch();

    const asked = await Promise.all(
      Array.from({ length: RUNS }, (_, index) => t.ask(job, { thing: `${index}` })),
    );
    dispatcher.nudge();
    const ended = [];
    for (const { requestId } of asked) ended.push(await t.reach(requestId, "completed", "dead"));

    expect(ended.filter(({ run }) => run.state === "dead")).toEqual([]);
    expect(ended.every(({ run }) => run.attemptsMade === 0)).toBe(true);
    expect(Math.min(...starts.values())).toBe(POSTPONES + 1);
  });
});
