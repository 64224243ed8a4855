import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf, runsByState, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Replica } from "../stack/replica.ts";

/** The browser is killed in the middle of its work, again and again: every document is there in the end. */
export const browserKilled = defineDrill({
  name: "browser-killed",
  promise:
    "the browser is killed mid-render, repeatedly: every document is rendered, none dies, no browser is left behind",
  sabotages: [],
  async run(t) {
    const [count, kills] = t.sized([6, 2], [60, 15]);
    const stack = await t.open({ apps: { "pdf-worker": 1 } });
    const [worker] = stack.replicas("pdf-worker");
    if (worker === undefined) throw new Error("no pdf-worker");
    for (let n = 0; n < count; n++) {
      const { invoice } = await stack.invoice({ lines: 400 });
      await stack.api.post(`/v1/invoices/${invoice.id}/pdf`);
    }
    let killed = 0;
    while (killed < kills) {
      const rendering = () =>
        numberOf(stack.db, sql`job_runs WHERE running_attempt_id IS NOT NULL`);
      await until(async () => (await rendering()) > 0, { deadlineMs: 20_000 });
      await pause(200);
      t.tell("the browser is killed");
      for (const pid of browsersOf(worker)) process.kill(pid, "SIGKILL");
      killed += 1;
      await pause(1_000);
    }
    await untilAllOver(stack.db, 60_000);
    const { completed = 0, dead = 0 } = await runsByState(stack.db);
    const browsers = browsersOf(worker).length;
    await worker.stop();

    t.figure("documents", completed);
    t.figure("kills", killed);
    t.figure("retried", await numberOf(stack.db, sql`job_attempts WHERE outcome = 'retry'`));
    t.must("every document is rendered", completed === count);
    t.must("none dies", dead === 0);
    t.must("one browser is there in the end", browsers === 1);
    t.must("none is left behind by the worker", browsersOf(worker).length === 0);
  },
});

/** The browser's own process, whose children are its pages: the worker starts no other. */
const browsersOf = ({ pid }: Replica): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);

function parentOf(pid: string): number | undefined {
  try {
    // The name before it may hold anything, blanks and parentheses too.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // gone meanwhile
  }
}
