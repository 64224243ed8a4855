import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { byThing, setup, testJob } from "./setup.ts";

describeEachEngine("wishes that share a slot", (engine) => {
  test("end as one run started and one waiting, and the last change wins", async () => {
    await using t = await setup(engine);
    const job = testJob({ slot: byThing });
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    const first = Promise.withResolvers<void>();
    await t.work([
      handle(job, async ({ payload }) => {
        running += 1;
        most = Math.max(most, running);
        seen.push(payload.change);
        if (seen.length === 1) await first.promise;
        running -= 1;
        return { done: "" };
      }),
    ]);
    const dispatcher = await t.dispatch();

    const asked = [await t.ask(job, { thing: "a", change: 1 })];
    dispatcher.nudge();
    await until(() => seen.length === 1);
    for (let change = 2; change <= 10; change++)
      asked.push(await t.ask(job, { thing: "a", change }));
    dispatcher.nudge();
    first.resolve();
    for (const { requestId } of asked) await t.reach(requestId, "completed");

    expect(seen).toEqual([1, 10]);
    expect(most).toBe(1);
    expect(asked.map(({ joined }) => joined)).toEqual([false, false, ...Array(8).fill(true)]);
    expect(new Set(asked.map(({ runId }) => runId)).size).toBe(2);
  });

  test("of different companies never join", async () => {
    await using t = await setup(engine);
    const job = testJob({ slot: byThing });
    const one = await t.ask(
      job,
      { thing: "a" },
      { companyId: "01936f5e-0000-7000-8000-000000000001" },
    );
    const other = await t.ask(
      job,
      { thing: "a" },
      { companyId: "01936f5e-0000-7000-8000-000000000002" },
    );
    expect(other).toMatchObject({ joined: false });
    expect(other.runId).not.toBe(one.runId);
  });

  test("a run held for something starts when that is released, and not before", async () => {
    await using t = await setup(engine);
    const job = testJob();
    let ran = 0;
    await t.work([
      handle(job, async () => {
        ran += 1;
        return { done: "" };
      }),
    ]);
    await t.dispatch();

    const held = await t.ask(job, { thing: "held" }, { heldFor: "document:1" });
    const free = await t.ask(job, { thing: "free" });
    await t.reach(free.requestId, "completed");
    expect(ran).toBe(1);
    expect((await t.view(held.requestId)).run.state).toBe("waiting");

    await t.db.transaction((tx) => t.requests.release(tx, "document:1"));
    await t.reach(held.requestId, "completed");
    expect(ran).toBe(2);
  });
});
