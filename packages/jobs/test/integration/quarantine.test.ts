import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { type Setup, setup, testJob } from "./setup.ts";

const program = join(import.meta.dirname, "../programs/crashing-worker.ts");
/** Processes are started again and again, and a machine may be busy. */
const PATIENCE_MS = 240_000;

/** A worker process that is started again whenever it ended; the codes it ended with. */
function keepRunning(t: Setup) {
  const exits: (number | string)[] = [];
  let child: ChildProcess | undefined;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      child = fork(program, [t.databaseUrl, t.url, t.prefix], {
        execArgv: ["--conditions=@ballast/source"],
      });
      const [code, signal] = await once(child, "exit");
      exits.push(code ?? signal);
    }
  })();
  return {
    exits,
    async [Symbol.asyncDispose]() {
      stopped = true;
      child?.kill("SIGKILL");
      await running;
    },
  };
}

const over = (t: Setup, requestId: string) =>
  until(
    async () => {
      const found = await t.view(requestId);
      return found.run.finishedAt === null ? undefined : found;
    },
    { deadlineMs: PATIENCE_MS, intervalMs: 100 },
  );

/** The death is written before the process that it ended is gone. */
const firstFour = ({ exits }: { exits: readonly unknown[] }) =>
  until(() => exits.length >= 4 && exits.slice(0, 4), { deadlineMs: PATIENCE_MS });

const outcomesOf = ({ attempts }: { attempts: readonly { outcome: string }[] }) =>
  attempts.map(({ outcome }) => outcome);

/** Ask for work under which a process seems to have ended. */
async function askSuspect(t: Setup, job: ReturnType<typeof testJob>) {
  const asked = await t.ask(job, { thing: "suspect" }, { heldFor: "the mark" });
  await t.db.kysely
    .updateTable("jobRuns")
    .set({ suspectSince: new Date() })
    .where("id", "=", asked.runId)
    .execute();
  await t.db.transaction((tx) => t.requests.release(tx, "the mark"));
  return asked;
}

const waitCode = async (t: Setup, requestId: string) => (await t.view(requestId)).run.waitCode;

describeEachEngine("one crasher beside nine slow innocents", (engine) => {
  test.each(["throws-later", "rejects-later"])(
    "that %s is parked with its story, and the others never notice",
    { timeout: 2 * PATIENCE_MS },
    async (way) => {
      await using t = await setup(engine);
      const crasher = await t.ask(testJob(), { thing: way });
      const asked = Array.from({ length: 9 }, (_, n) => t.ask(testJob(), { thing: `${n}` }));
      const innocents = await Promise.all(asked);
      await t.dispatch();
      await using processes = keepRunning(t);

      const dead = await over(t, crasher.requestId);
      const others = await Promise.all(innocents.map(({ requestId }) => over(t, requestId)));

      expect(dead.run).toMatchObject({ state: "dead", errorCode: "crashed_process" });
      expect(outcomesOf(dead)).toEqual(["lost", "lost", "lost", "dead"]);
      expect(dead.attempts.map(({ message }) => message)).toEqual(Array(4).fill("boom"));
      expect(dead.attempts.at(-1)?.stack).toContain("crashing-worker");
      expect(others.map(({ run }) => run.state)).toEqual(Array(9).fill("completed"));
      expect(others.flatMap(outcomesOf)).not.toContain("lost");
      expect(await firstFour(processes)).toEqual(Array(4).fill(70));
    },
  );

  test("that ends the process without a word is parked all the same, and no other is", {
    timeout: 2 * PATIENCE_MS,
  }, async () => {
    await using t = await setup(engine);
    const crasher = await t.ask(testJob(), { thing: "is-killed" });
    const asked = Array.from({ length: 9 }, (_, n) => t.ask(testJob(), { thing: `${n}` }));
    const innocents = await Promise.all(asked);
    await t.dispatch();
    await using processes = keepRunning(t);

    const dead = await over(t, crasher.requestId);
    const others = await Promise.all(innocents.map(({ requestId }) => over(t, requestId)));

    expect(dead.run).toMatchObject({ state: "dead", errorCode: "crashed_process" });
    expect(outcomesOf(dead)).toEqual(["lost", "lost", "lost", "lost"]);
    expect(others.map(({ run }) => run.state)).toEqual(Array(9).fill("completed"));
    expect(await firstFour(processes)).toEqual(Array(4).fill("SIGKILL"));
  });
});

describeEachEngine("a run under which a process ended", (engine) => {
  test("waits for the rest of its process, runs alone within its own timeout, and is forgiven", async () => {
    await using t = await setup(engine);
    const running = new Set<string>();
    const beside: string[][] = [];
    const job = testJob({ timeoutMs: 1_500, attempts: 1 });
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow = testJob({ name: "slow" });
    const before = await t.ask(slow, { thing: "before" });
    const work = async (thing: string) => {
      beside.push([thing, ...running]);
      running.add(thing);
      if (thing === "before") await held;
      else await pause(50);
      running.delete(thing);
      return { done: thing };
    };
    await t.dispatch();
    await t.work([
      handle(job, ({ payload }) => work(payload.thing)),
      handle(slow, ({ payload }) => work(payload.thing)),
    ]);
    await until(() => running.size === 1);
    const { requestId, runId } = await askSuspect(t, job);
    await until(async () => (await waitCode(t, requestId)) === "quarantined");
    const behind = await Promise.all(["x", "y"].map((thing) => t.ask(slow, { thing })));
    await pause(2_000); // longer than the timeout that must not count
    letGo();

    for (const one of [before, { requestId }, ...behind])
      expect((await t.reach(one.requestId, "completed", "dead")).run.state).toBe("completed");
    expect(beside.find(([thing]) => thing === "suspect")).toEqual(["suspect"]);
    expect(beside.filter((row) => row.slice(1).includes("suspect"))).toEqual([]);
    const row = await t.db.kysely
      .selectFrom("jobRuns")
      .select(["suspectSince", "runningAlone"])
      .where("id", "=", runId)
      .executeTakeFirst();
    expect(row).toEqual({ suspectSince: null, runningAlone: false });
  });

  test("is handed back by a shutdown that finds it waiting, and nothing is counted", async () => {
    await using t = await setup(engine);
    const job = testJob();
    const slow = testJob({ name: "slow" });
    await t.ask(slow, { thing: "before" });
    let begun = false;
    const worker = await t.work([
      handle(job, async () => ({ done: "" })),
      handle(slow, ({ signal }) => {
        begun = true;
        return pause(60_000, { done: "" }, { signal });
      }),
    ]);
    await t.dispatch();
    await until(() => begun);
    const { requestId, runId } = await askSuspect(t, job);
    await until(async () => (await waitCode(t, requestId)) === "quarantined");

    await worker[Symbol.asyncDispose]();

    expect((await t.view(requestId)).attempts).toEqual([]);
    const state = await t.queue.getJob(runId);
    expect([await state?.getState(), state?.attemptsMade, state?.stalledCounter]).toEqual([
      "waiting",
      0,
      0,
    ]);
  });
});
