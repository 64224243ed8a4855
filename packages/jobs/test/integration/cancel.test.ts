import { cancelRequest } from "@ballast/database";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { byThing, setup, testJob } from "./setup.ts";

describeEachEngine("cancelling", (engine) => {
  test("stops a running attempt within a second, and nobody died", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let abortedAt = 0;
    let running = false;
    await t.dispatch();
    await t.work([
      handle(job, ({ signal }) => {
        running = true;
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => {
            abortedAt = Date.now();
            reject(signal.reason);
          }),
        );
      }),
    ]);
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    await until(() => running);

    const cancelledAt = Date.now();
    await cancelRequest(t.db, requestId, "all");
    const { run } = await t.reach(requestId, "cancelled");

    expect(abortedAt - cancelledAt).toBeLessThan(1_000);
    expect(run.errorCode).toBeNull();
    await until(async () => (await t.engine.find("test", runId))?.state === "completed");
  });

  test("a run that was handed over but has not started never starts", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const dispatcher = await t.dispatch();
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    dispatcher.nudge();
    await until(async () => (await t.engine.find("test", runId)) !== undefined);

    await cancelRequest(t.db, requestId, "all");
    let ran = 0;
    await t.work([
      handle(job, async () => {
        ran += 1;
        return { done: "" };
      }),
    ]);
    await until(async () => (await t.engine.find("test", runId))?.state === "completed");

    expect(ran).toBe(0);
    expect((await t.view(requestId)).run.state).toBe("cancelled");
  });

  test("one of two wishes leaves the run to the other", async () => {
    await using t = await setup(engine);
    const job = testJob({ slot: byThing });
    const one = await t.ask(job, { thing: "a" });
    const other = await t.ask(job, { thing: "a" });
    expect(other.runId).toBe(one.runId);

    await cancelRequest(t.db, one.requestId, "all");
    await t.dispatch();
    await t.work([handle(job, async () => ({ done: "for the other" }))]);

    await t.reach(other.requestId, "completed");
  });
});
