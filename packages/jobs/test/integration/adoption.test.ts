import { randomUUID } from "node:crypto";
import { toBullmq } from "@ballast/contracts";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { type Setup, setup, testJob } from "./setup.ts";

const ended = (t: Setup, jobId: string, ...states: string[]) =>
  until(async () => {
    const found = await t.theirs(jobId);
    return found !== undefined && states.includes(found.run.state) ? found : undefined;
  });

describeEachEngine("a job that another team put into the queue", (engine) => {
  test("with the contract alone is done, and its request can be found", async () => {
    await using t = await setup(engine);
    const job = testJob();
    await t.work([handle(job, async ({ payload }) => ({ done: payload.thing }))]);

    const requestId = randomUUID();
    const { name, data, opts } = toBullmq(
      job,
      { thing: "theirs" },
      { requestId, subject: "thing:1" },
    );
    await t.queue.add(name, data, opts);

    await until(
      async () => (await t.view(requestId).catch(() => undefined))?.run.state === "completed",
    );
    expect((await t.view(requestId)).run).toMatchObject({
      origin: "external",
      subject: "thing:1",
      result: { done: "theirs" },
    });
  });

  test("with nothing but a name and data obeys the contract's policy", async () => {
    await using t = await setup(engine);
    const job = testJob({ attempts: 2, backoff: { type: "fixed", delayMs: 20 } });
    await t.work([
      handle(job, async () => {
        throw new Error("down");
      }),
    ]);

    await t.queue.add("do-thing", { v: 1, payload: { thing: "a" } }, { jobId: "bare" });

    expect((await ended(t, "bare", "dead")).attempts).toHaveLength(2);
  });

  test("with a missing field is dead at once, naming the field", async () => {
    await using t = await setup(engine);
    let ran = 0;
    await t.work([
      handle(testJob(), async () => {
        ran += 1;
        return { done: "" };
      }),
    ]);

    await t.queue.add("do-thing", { v: 1, payload: { change: "x" } }, { jobId: "bad" });
    const { run, attempts } = await ended(t, "bad", "dead");

    expect(run.errorCode).toBe("invalid_payload");
    expect(run.errorMessage).toMatch(/thing: .*change: /s);
    expect(attempts).toHaveLength(1);
    expect(ran).toBe(0);
  });

  test("with a field too many is done", async () => {
    await using t = await setup(engine);
    await t.work([
      handle(testJob(), async ({ payload }) => ({ done: Object.keys(payload).join() })),
    ]);

    await t.queue.add(
      "do-thing",
      { v: 1, payload: { thing: "a", extra: true } },
      { jobId: "extra" },
    );

    expect((await ended(t, "extra", "completed")).run.result).toEqual({ done: "thing,change" });
  });

  test.each([
    ["no envelope", "plain text", "no_envelope"],
    ["a version of 0", { v: 0, payload: { thing: "a" } }, "no_envelope"],
    ["a version that is no number", { v: "1", payload: { thing: "a" } }, "no_envelope"],
  ])("with %s is dead at once and kept to be seen", async (_title, data, code) => {
    await using t = await setup(engine);
    await t.work([handle(testJob(), async () => ({ done: "" }))]);

    await t.queue.add("do-thing", data, { jobId: "poison" });

    expect((await ended(t, "poison", "dead")).run.errorCode).toBe(code);
  });

  test("with a retired version is dead at once", async () => {
    await using t = await setup(engine);
    await t.work([handle(testJob({ version: 3, oldestVersion: 2 }), async () => ({ done: "" }))]);

    await t.queue.add("do-thing", { v: 1, payload: { thing: "a" } }, { jobId: "old" });

    expect((await ended(t, "old", "dead")).run.errorCode).toBe("version_retired");
  });

  test.each([
    ["a newer version", "do-thing", 2],
    ["a newer job", "do-other-thing", 1],
  ])("by %s waits for a newer worker, its attempts unspent", async (_title, name, v) => {
    await using t = await setup(engine);
    await t.work([handle(testJob(), async () => ({ done: "" }))]);

    await t.queue.add(name, { v, payload: { thing: "a" } }, { jobId: "new" });
    const { run, attempts } = await until(async () => {
      const found = await t.theirs("new");
      return found?.attempts.length === 1 ? found : undefined;
    });

    expect(run).toMatchObject({ state: "started", attemptsMade: 0 });
    expect(attempts[0]).toMatchObject({ outcome: "postpone", code: "newer_than_worker" });
  });
});
