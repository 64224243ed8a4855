import { setQueuePaused } from "@ballast/database";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { reconcile } from "../../src/index.ts";
import { queue, type Setup, setup } from "./setup.ts";

const order = (t: Setup, paused: boolean) =>
  t.db.transaction((tx) =>
    setQueuePaused(tx, { queue: queue.name, paused, reason: "a test", changedBy: "anna" }),
  );

/** As if it was ordered and told long ago. */
const longAgo = (t: Setup) =>
  t.db.kysely
    .updateTable("queueStates")
    .set({ changedAt: new Date(0) })
    .execute();

describeEachEngine("a queue that an operator holds", (engine) => {
  test("is paused again in an engine that has forgotten it", async () => {
    await using t = await setup(engine);
    await order(t, true);
    await longAgo(t);
    await reconcile(t);
    await t.engine.setPaused(queue.name, false);
    await reconcile(t);
    expect(await t.engine.state(queue.name)).toMatchObject({ paused: true });
  });

  test("goes on once it is resumed, also if another replica tells of the pause after that", async () => {
    await using t = await setup(engine);
    await order(t, true);
    const hasRead = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    const store = {
      ...t.store,
      async queueOrders() {
        const orders = await t.store.queueOrders();
        hasRead.resolve();
        await goesOn.promise;
        return orders;
      },
    };
    const late = reconcile({ ...t, store });
    await hasRead.promise;
    await order(t, false);
    await longAgo(t);
    await reconcile(t);
    goesOn.resolve();
    await late;

    await reconcile(t);
    expect(await t.engine.state(queue.name)).toMatchObject({ paused: false });
  });

  test("goes on once it is resumed, although a command from before is obeyed late", async () => {
    await using t = await setup(engine);
    await order(t, true);
    await reconcile(t);
    await order(t, false);
    await reconcile(t);
    await t.engine.setPaused(queue.name, true);
    await reconcile(t);
    expect(await t.engine.state(queue.name)).toMatchObject({ paused: false });
  });

  test("stays paused for another team, once its resumption was told", async () => {
    await using t = await setup(engine);
    await order(t, false);
    await longAgo(t);
    await reconcile(t);
    await t.engine.setPaused(queue.name, true);
    await reconcile(t);
    expect(await t.engine.state(queue.name)).toMatchObject({ paused: true });
  });
});
