import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as work } from "node:timers/promises";
import { recoveryBoundMs } from "@ballast/contracts";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle } from "../../src/index.ts";
import { queue, setup, testJob } from "./setup.ts";

/** A process is started, on a machine that may be busy. */
const PATIENT = { timeout: 240_000 };

const program = join(import.meta.dirname, "../programs/hanging-worker.ts");

describeEachEngine("a worker killed in the middle of a job", (engine) => {
  test(
    "loses it to another within the queue's recovery bound, whatever waits, and the crash is shown",
    PATIENT,
    async () => {
      await using t = await setup(engine);
      const job = testJob({ attempts: 1 });
      await t.dispatch();
      const doomed = fork(program, [t.databaseUrl, t.url, t.prefix], {
        execArgv: ["--conditions=@ballast/source"],
      });
      const { requestId } = await t.ask(job, { thing: "a" });
      await once(doomed, "message");
      for (let n = 0; n < 60; n += 1) await t.ask(job, { thing: `waits ${n}` });
      const another = handle(job, async ({ payload: { thing } }) => {
        if (thing !== "a") await work(200);
        return { done: "by another" };
      });
      await t.work([another], { concurrency: 1 });

      const killedAt = Date.now();
      doomed.kill("SIGKILL");
      const { attempts } = await t.reach(requestId, "completed");

      // Beyond the bound: the time the new attempt and its bookkeeping take.
      expect(Date.now() - killedAt).toBeLessThan(recoveryBoundMs(queue) + 3_000);
      expect(attempts.map(({ outcome }) => outcome)).toEqual(["lost", "completed"]);
    },
  );

  test("more often than its queue allows is dead, and that is known at once", PATIENT, async () => {
    await using t = await setup(engine);
    const job = testJob();
    await t.dispatch();
    const doomed = fork(program, [t.databaseUrl, t.url, t.prefix], {
      execArgv: ["--conditions=@ballast/source"],
    });
    const { requestId } = await t.ask(job, { thing: "a" });
    await once(doomed, "message");
    doomed.kill("SIGKILL");
    await t.work([handle(job, async () => ({ done: "" }))], { maxStalledCount: 0 });

    const { run, attempts } = await t.reach(requestId, "dead");

    expect(run.errorCode).toBe("stalled_too_often");
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["lost", "dead"]);
  });
});
