import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle, startWorker } from "../../src/index.ts";
import { queue, setup, testJob } from "./setup.ts";

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason)),
  );

describeEachEngine("a worker that is told to stop", (engine) => {
  test("hands back what is running in under two seconds, and no attempt is spent", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const started: number[] = [];
    const slow = handle(job, async ({ attempt, signal }) => {
      started.push(attempt);
      return started.length === 1 ? aborted(signal) : { done: "by another" };
    });
    await t.dispatch();
    const first = await t.work([slow]);
    const { requestId } = await t.ask(job, { thing: "a" });
    await until(() => started.length === 1);

    const began = Date.now();
    await first[Symbol.asyncDispose]();
    expect(Date.now() - began).toBeLessThan(2_000);

    await t.work([slow]);
    const { attempts } = await t.reach(requestId, "completed");
    expect(started).toEqual([1, 1]);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["interrupted", "completed"]);
  });

  test("hands back to the front: what was under way goes before all that waits", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const begun: string[] = [];
    const work = () =>
      t.work(
        [
          handle(job, async ({ payload: { thing }, signal }) => {
            begun.push(thing);
            return begun.length === 1 ? aborted(signal) : { done: "" };
          }),
        ],
        { concurrency: 1 },
      );
    const dispatcher = await t.dispatch();
    await t.ask(job, { thing: "under way" });
    const first = await work();
    await until(() => begun.length === 1);
    const waiting = await Promise.all(
      Array.from({ length: 10 }, (_, n) => t.ask(job, { thing: `${n}` })),
    );
    dispatcher.nudge();
    await until(async () => (await t.engine.state("test")).waiting === 10);
    await first[Symbol.asyncDispose]();
    await work();
    for (const { requestId } of waiting) await t.reach(requestId, "completed");
    // The worker that stops may have taken one more job, and given it back last.
    expect(begun.indexOf("under way", 1)).toBeLessThanOrEqual(2);
  });

  test("lets an irreversible step end, and its run with it", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const sent = Promise.withResolvers<void>();
    let inStep = false;
    await t.dispatch();
    const worker = await t.work([
      handle(job, async ({ lease }) => {
        await lease.step(async () => {
          inStep = true;
          await sent.promise;
        });
        return { done: "sent" };
      }),
    ]);
    const { requestId } = await t.ask(job, { thing: "a" });
    await until(() => inStep);

    const stopped = worker[Symbol.asyncDispose]();
    const later = setTimeout(() => sent.resolve(), queueHandBack * 3);
    await stopped;
    clearTimeout(later);

    expect((await t.view(requestId)).run).toMatchObject({
      state: "completed",
      result: { done: "sent" },
    });
  });

  test("cuts a step that outlasts the grace period, and hands its run back", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const begun: number[] = [];
    const stuck = handle(job, async ({ attempt, lease }) => {
      begun.push(attempt);
      if (begun.length === 1) await lease.step(() => new Promise(() => {}));
      return { done: "by another" };
    });
    await t.dispatch();
    const worker = await t.work([stuck], { gracePeriodMs: 500 });
    const { requestId } = await t.ask(job, { thing: "a" });
    await until(() => begun.length === 1);

    const began = Date.now();
    await worker[Symbol.asyncDispose]();
    expect(Date.now() - began).toBeLessThan(500 + 4_000);

    await t.work([stuck]);
    const { attempts } = await t.reach(requestId, "completed");
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["interrupted", "completed"]);
    expect(begun).toEqual([1, 1]);
  });

  test("runs no handler whose start was still being written", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const starting = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const slow: typeof t.store = {
      ...t.store,
      async start(starts) {
        starting.resolve();
        await written.promise;
        return t.store.start(starts);
      },
    };
    const ran: string[] = [];
    const by = (name: string) =>
      handle(job, async () => {
        ran.push(name);
        return { done: name };
      });
    const worker = await startWorker({ ...t, queue, store: slow, handlers: [by("the stopped")] });
    await t.dispatch();
    const { requestId } = await t.ask(job, { thing: "a" });
    await starting.promise;
    const stopped = worker[Symbol.asyncDispose]();
    written.resolve();
    await stopped;
    expect(ran).toEqual([]);

    await t.work([by("another")]);
    expect((await t.reach(requestId, "completed")).attempts).toMatchObject([
      { outcome: "interrupted" },
      { outcome: "completed" },
    ]);
  });

  test("can be told twice", async () => {
    await using t = await setup(engine);
    const worker = await t.work([handle(testJob(), async () => ({ done: "" }))]);
    await Promise.all([worker[Symbol.asyncDispose](), worker[Symbol.asyncDispose]()]);
  });
});

const queueHandBack = 200;
