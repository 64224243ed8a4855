import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { setup, testJob } from "./setup.ts";

/** A busy machine must not cost an attempt its lock. */
const PATIENT = { lockDurationMs: 20_000, stalledIntervalMs: 5_000 };

describeEachEngine("the engine's own record of a retry schedule", (engine) => {
  test.each([
    ["the default waits 2, 4, 8 and 16 s", {}, [2_000, 4_000, 8_000, 16_000]],
    [
      "a fixed one waits 2 s each time",
      { backoff: { type: "fixed" as const } },
      [2_000, 2_000, 2_000, 2_000],
    ],
  ])("%s, then the run is dead", async (_title, policy, expected) => {
    await using t = await setup(engine);
    const job = testJob(policy);
    await t.dispatch();
    const failing = handle(job, async () => {
      throw new Error("down");
    });
    await t.work([failing], PATIENT);

    const { requestId, runId } = await t.ask(job, { thing: "a" });
    const delays: number[] = [];
    for (const wait of expected) {
      const delayed = await until(async () => {
        const found = await t.queue.getJob(runId);
        return found?.attemptsMade === delays.length + 1 && (await found.isDelayed())
          ? found
          : undefined;
      });
      delays.push(delayed.delay);
      // The journal says the same to people, to within the time the bookkeeping took.
      const view = await until(async () => {
        const found = await t.view(requestId);
        return found.attempts.length === delays.length ? found : undefined;
      });
      const last = view.attempts.at(-1);
      expect(Number(last?.nextAttemptAt) - Number(last?.endedAt)).toBe(wait);
      await delayed.promote();
    }

    expect(delays).toEqual(expected);
    expect((await t.reach(requestId, "dead")).attempts).toHaveLength(5);
  });
});
