import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { setup, testJob } from "./setup.ts";

describeEachEngine("the dispatcher", (engine) => {
  test("in three replicas hands every run over, and each runs once", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const runs = new Map<string, number>();
    await t.work([
      handle(job, async ({ payload }) => {
        runs.set(payload.thing, (runs.get(payload.thing) ?? 0) + 1);
        return { done: "" };
      }),
    ]);
    const dispatchers = await Promise.all([t.dispatch(), t.dispatch(), t.dispatch()]);

    const asked = await Promise.all(
      Array.from({ length: 200 }, (_, index) => t.ask(job, { thing: `${index}` })),
    );
    for (const dispatcher of dispatchers) dispatcher.nudge();
    for (const { requestId } of asked) await t.reach(requestId, "completed");

    expect(runs.size).toBe(200);
    expect(new Set(runs.values())).toEqual(new Set([1]));
  });

  test("keeps a run while the engine refuses it, and hands it over when it is back", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let down = true;
    let refused = 0;
    const flaky = {
      ...t.engine,
      add: async (...args: Parameters<typeof t.engine.add>) => {
        if (down) {
          refused += 1;
          throw new Error("connection refused");
        }
        return t.engine.add(...args);
      },
    } as typeof t.engine;
    await t.dispatch(flaky);
    const { requestId } = await t.ask(job, { thing: "a" });
    await until(() => refused >= 2);
    expect((await t.view(requestId)).run).toMatchObject({ state: "waiting", handedAt: null });

    down = false;
    await t.work([handle(job, async () => ({ done: "late" }))]);
    await t.reach(requestId, "completed");
  });

  test("hands over nothing before its time", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let ranAt = 0;
    await t.work([
      handle(job, async () => {
        ranAt = Date.now();
        return { done: "" };
      }),
    ]);
    await t.dispatch();
    const dueAt = new Date(Date.now() + 1_500);
    const { requestId } = await t.ask(job, { thing: "a" }, { dueAt });
    await t.reach(requestId, "completed");
    expect(ranAt).toBeGreaterThanOrEqual(dueAt.getTime());
    expect(ranAt - dueAt.getTime()).toBeLessThan(3_000);
  });

  test("a run added twice to the engine is settled with what is stored and does not run again", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let ran = 0;
    await t.dispatch();
    await t.work([
      handle(job, async () => {
        ran += 1;
        return { done: `run ${ran}` };
      }),
    ]);
    const { requestId, runId } = await t.ask(job, { thing: "a" });
    await t.reach(requestId, "completed");
    await t.engine.remove("test", runId);
    await t.engine.add("test", [
      {
        id: runId,
        name: "do-thing",
        data: { v: 1, payload: { thing: "a" } },
        priority: 0,
      },
    ]);
    const again = await until(async () => {
      const found = await t.engine.find("test", runId);
      return found?.state === "completed" ? found : undefined;
    });
    expect(again.result).toEqual({ done: "run 1" });
    expect(ran).toBe(1);
  });
});
