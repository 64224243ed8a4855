import { describeEachEngine, openProxy, until } from "@ballast/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { handle, openEngine, startWorker } from "../../src/index.ts";
import { queue, quiet, type Setup, setup, testJob } from "./setup.ts";

/** The engine of `t`, reached through a door that can be shut. */
async function behindDoor(t: Setup, { shut = false } = {}) {
  const stack = new AsyncDisposableStack();
  const door = stack.use(await openProxy(t.url));
  if (shut) await door.shut();
  const engine = stack.use(openEngine(door.url, { log: quiet, prefix: t.prefix }));
  return { door, engine, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const echo = () => handle(testJob(), async ({ payload }) => ({ done: payload.thing }));

describeEachEngine("an engine that is away", (engine) => {
  test("at the start makes calls fail, leaves nothing behind, and works once it is there", async () => {
    await using t = await setup(engine);
    await using away = await behindDoor(t, { shut: true });
    const warned = vi.fn();
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));

    for (let call = 0; call < 15; call++)
      await expect(away.engine.find(queue.name, "none")).rejects.toThrow();
    await away.door.open();
    await until(async () => (await away.engine.find(queue.name, "none")) === undefined);
    expect(warned).not.toHaveBeenCalled();
  });

  test("for a while makes calls fail, and the same engine works again after it", async () => {
    await using t = await setup(engine);
    await using away = await behindDoor(t);
    await until(async () => (await away.engine.find(queue.name, "none")) === undefined);

    await away.door.shut();
    await expect(away.engine.state(queue.name)).rejects.toThrow();
    await away.door.open();
    await until(async () => (await away.engine.state(queue.name)).waiting === 0);
  });

  test("lets a worker that has nothing to do stop at once", async () => {
    await using t = await setup(engine);
    await using away = await behindDoor(t);
    const worker = await startWorker({ ...t, queue, engine: away.engine, handlers: [echo()] });
    const { requestId } = await t.ask(testJob(), { thing: "a" });
    await t.dispatch();
    await t.reach(requestId, "completed");

    await away.door.shut();
    const began = Date.now();
    await worker[Symbol.asyncDispose]();
    expect(Date.now() - began).toBeLessThan(queue.gracePeriodMs);
  });

  test("comes back to a worker that takes its jobs again, and finished work is not done twice", async () => {
    await using t = await setup(engine);
    await using away = await behindDoor(t);
    const ran: string[] = [];
    const shutThen = handle(testJob(), async ({ payload }) => {
      ran.push(payload.thing);
      if (payload.thing === "first") await away.door.shut();
      return { done: payload.thing };
    });
    await using _worker = await startWorker({
      ...t,
      queue,
      engine: away.engine,
      handlers: [shutThen],
    });
    const first = await t.ask(testJob(), { thing: "first" });
    const dispatcher = await t.dispatch();
    // The engine cannot be told, the journal is.
    expect((await t.reach(first.requestId, "completed")).run.result).toEqual({ done: "first" });

    await away.door.open();
    const second = await t.ask(testJob(), { thing: "second" });
    dispatcher.nudge();
    await until(async () => (await t.view(second.requestId)).run.state === "completed");
    await until(async () => (await t.engine.find(queue.name, first.runId))?.state === "completed");
    expect(ran).toEqual(["first", "second"]);
  }, 40_000);

  test("when a worker is started is waited for", async () => {
    await using t = await setup(engine);
    await using away = await behindDoor(t, { shut: true });
    const { requestId } = await t.ask(testJob(), { thing: "a" });
    await t.dispatch();
    const starting = startWorker({ ...t, queue, engine: away.engine, handlers: [echo()] });
    await expect(away.engine.ping()).rejects.toThrow();
    await away.door.open();
    await using _worker = await starting;
    await t.reach(requestId, "completed");
  });
});

describeEachEngine("an engine that forgets what it gave away last", (engine) => {
  test("does not have it done twice: its worker is let finish and report", async () => {
    await using t = await setup(engine);
    const ran: string[] = [];
    const letGo = Promise.withResolvers<void>();
    const slow = handle(testJob(), async ({ payload: { thing } }) => {
      ran.push(thing);
      if (thing === "forgotten") await letGo.promise;
      return { done: thing };
    });
    await t.work([slow], { lockDurationMs: 20_000, stalledIntervalMs: 5_000 });
    const asked = await t.ask(testJob(), { thing: "forgotten" });
    const dispatcher = await t.dispatch();
    await until(() => ran.length === 1);

    await t.wipe();
    const { run } = await t.view(asked.requestId);
    const data = { v: run.version, payload: run.payload, meta: {} };
    await t.engine.add(queue.name, [{ id: run.id, name: run.job, data, priority: 0 }]);
    const putOff = async () => (await t.engine.state(queue.name)).delayed === 1;
    await until(putOff);
    letGo.resolve();
    await t.reach(asked.requestId, "completed");
    const after = await t.ask(testJob(), { thing: "after" });
    dispatcher.nudge();
    await t.reach(after.requestId, "completed");
    const settled = async () => (await t.engine.find(queue.name, run.id))?.state === "completed";
    await until(settled);

    expect(ran).toEqual(["forgotten", "after"]);
    const { attempts } = await t.view(asked.requestId);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["completed"]);
  });
});
