import { BULK_PRIORITY } from "@ballast/contracts";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { byThing, setup, testJob } from "./setup.ts";

const bulk = { priority: BULK_PRIORITY };

describeEachEngine("bulk work", (engine) => {
  test("is overtaken by what is asked for later, and by what joins it in the engine", async () => {
    await using t = await setup(engine);
    const job = testJob({ slot: byThing });
    const dispatcher = await t.dispatch();
    const things = Array.from({ length: 40 }, (_, n) => `bulk-${n}`);
    const asked = await Promise.all(things.map((thing) => t.ask(job, { thing }, bulk)));
    dispatcher.nudge();
    await until(async () => (await t.engine.state("test")).waiting === 8);
    const seventh = asked[7];

    const urgent = await t.ask(job, { thing: "urgent" });
    const joined = await t.ask(job, { thing: things[7] ?? "" });
    expect(joined.runId).toBe(seventh?.runId);
    dispatcher.nudge();
    await until(async () => (await t.view(joined.requestId)).run.priority === 0);
    await until(async () => (await t.view(urgent.requestId)).run.handedAt !== null);
    await until(async () => {
      const raised = await t.db.kysely
        .selectFrom("jobRuns")
        .whereRef("priority", "<", "enginePriority")
        .select("id")
        .execute();
      return raised.length === 0;
    });

    const order: string[] = [];
    await t.work(
      [
        handle(job, async ({ payload }) => {
          order.push(payload.thing);
          return { done: "" };
        }),
      ],
      { concurrency: 1 },
    );
    for (const { requestId } of [...asked, urgent]) await t.reach(requestId, "completed");
    expect(order.slice(0, 2).sort()).toEqual(["bulk-7", "urgent"]);
    expect(new Set(order).size).toBe(41);
  });

  test("goes on while urgent work never stops coming", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const dispatcher = await t.dispatch();
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => t.ask(job, { thing: `bulk-${n}` }, bulk)),
    );
    dispatcher.nudge();
    await until(async () => (await t.engine.state("test")).waiting === 8);

    let [ofBulk, ofUrgent] = [0, 0];
    const ask = () => t.ask(job, { thing: "urgent" });
    for (let n = 0; n < 12; n += 1) await ask();
    dispatcher.nudge();
    await t.work(
      [
        handle(job, async ({ payload }) => {
          if (payload.thing !== "urgent") ofBulk += 1;
          else {
            ofUrgent += 1;
            // Two for each that is done, until enough was seen: the queue never runs out of them.
            if (ofUrgent < 60) await Promise.all([ask(), ask()]);
          }
          return { done: "" };
        }),
      ],
      { concurrency: 1 },
    );
    await until(() => ofUrgent >= 60);
    expect(ofBulk).toBeGreaterThanOrEqual(5);
  });
});
