import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import {
  DependencyDownError,
  handle,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "../../src/index.ts";
import { setup, testJob } from "./setup.ts";

describeEachEngine("an attempt's outcome", (engine) => {
  test("a finished run keeps its result", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await t.dispatch();
    await t.work([handle(job, async ({ payload }) => ({ done: payload.thing }))]);

    const { requestId } = await t.ask(job, { thing: "a" });
    const { run } = await t.reach(requestId, "completed");

    expect(run).toMatchObject({ state: "completed", result: { done: "a" } });
  });

  test("a failing run is tried again, and every attempt's error is kept", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 3, backoff: { type: "fixed", delayMs: 50 } });
    await t.dispatch();
    await t.work([
      handle(job, async ({ attempt }) => {
        throw new TransientError("busy", `attempt ${attempt} failed`);
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    const { run, attempts } = await t.reach(requestId, "dead");

    expect(run).toMatchObject({ errorCode: "busy", errorMessage: "attempt 3 failed" });
    expect(attempts.map(({ outcome, message }) => [outcome, message])).toEqual([
      ["retry", "attempt 1 failed"],
      ["retry", "attempt 2 failed"],
      ["dead", "attempt 3 failed"],
    ]);
  });

  test("a permanent error is death at once", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await t.dispatch();
    await t.work([
      handle(job, async () => {
        throw new PermanentError("thing_gone", "no thing a");
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    const { run, attempts } = await t.reach(requestId, "dead");

    expect(run.errorCode).toBe("thing_gone");
    expect(attempts).toHaveLength(1);
  });

  test.each([
    new RateLimitedError("quota", "come back", { retryAfterMs: 700 }),
    new DependencyDownError("smtp_down", "come back", { retryAfterMs: 700 }),
  ])("$code postpones to the moment asked for and spends no attempt", async (error) => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 1 });
    const starts: { at: number; attempt: number }[] = [];
    await t.dispatch();
    await t.work([
      handle(job, async ({ attempt }) => {
        starts.push({ at: Date.now(), attempt });
        if (starts.length < 3) throw error;
        return { done: "after all" };
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    await t.reach(requestId, "completed");

    expect(starts.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    for (const [index, { at }] of starts.slice(1).entries()) {
      const waited = at - (starts[index]?.at ?? 0);
      expect(waited).toBeGreaterThanOrEqual(695);
      expect(waited).toBeLessThan(1_700);
    }
  });

  test("work that only ever waits is dead when its time is up", async () => {
    await using t = await setup(engine);
    const job = testJob({ giveUpAfterMs: 5_000 });
    await t.dispatch();
    await t.work([
      handle(job, async () => {
        throw new RateLimitedError("quota", "still closed", { retryAfterMs: 300 });
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    const { run, attempts } = await t.reach(requestId, "dead");

    expect(run).toMatchObject({ errorCode: "deadline_exceeded" });
    expect(attempts[0]).toMatchObject({ outcome: "postpone", message: "still closed" });
  });

  test("an attempt that takes too long is stopped and tried again", async () => {
    await using t = await setup(engine);
    const job = testJob({ timeoutMs: 150, backoff: { type: "fixed", delayMs: 10 } });
    let stopped = 0;
    await t.dispatch();
    await t.work([
      handle(job, async ({ attempt, signal }) => {
        if (attempt > 1) return { done: "second" };
        await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
        stopped += 1;
        return { done: "never" };
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    const { attempts } = await t.reach(requestId, "completed");

    expect(stopped).toBe(0);
    expect(attempts.map(({ code }) => code)).toEqual(["attempt_timeout", null]);
  });

  test("a handler that does not listen is left behind, and its slot of the worker comes free", async () => {
    await using t = await setup(engine);
    const job = testJob({ timeoutMs: 100, attempts: 1 });
    await t.dispatch();
    await t.work([handle(job, () => new Promise(() => {}))]);

    const { requestId } = await t.ask(job, { thing: "a" });

    expect((await t.reach(requestId, "dead")).run.errorCode).toBe("attempt_timeout");
  });

  test("a result that breaks its contract is not handed on", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await t.dispatch();
    await t.work([handle(job, async () => ({ wrong: 1n }) as never)]);

    const { requestId } = await t.ask(job, { thing: "a" });

    expect((await t.reach(requestId, "dead")).run.errorCode).toBe("result_breaks_contract");
  });

  test("progress can be seen while the work goes on", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const { promise, resolve } = Promise.withResolvers<void>();
    await t.dispatch();
    await t.work([
      handle(job, async ({ progress }) => {
        for (let page = 1; page <= 40; page++) progress({ page });
        await promise;
        return { done: "all" };
      }),
    ]);

    const { requestId } = await t.ask(job, { thing: "a" });
    await until(async () => (await t.view(requestId)).run.progress !== null);
    await until(
      async () => ((await t.view(requestId)).run.progress as { page: number }).page === 40,
    );
    resolve();
    await t.reach(requestId, "completed");
  });
});
