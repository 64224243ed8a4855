import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";
import { quickDrillLock } from "../tuning.ts";

/** A handler keeps its process from renewing its lock: the job runs elsewhere, and has one effect. */
export const eventLoopBlocked = defineDrill({
  name: "event-loop-blocked",
  promise:
    "a handler blocks its process for longer than its lock lasts: the second run is elsewhere, the effect happens once",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "a lease that knows when its lock ran out",
      file: "packages/jobs/src/running.ts",
      find: "return Date.now() - heldSince <= this.#lockDurationMs * LOCK_SHARE;",
      replace: "return heldSince > 0;",
    },
    {
      without: "the handler asking its ledger",
      file: "infra/drills/src/programs/echo-handlers.ts",
      find: 'if (id.startsWith("bare-") || !(await done()))',
      replace: "if (id)",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1 },
      tuning: t.sized([quickDrillLock], []),
      env: { ECHO_CONCURRENCY: "1" },
    });
    const woken = join(stack.folder, "woken");
    const ids = ["bare-block-1", "loose-block-2"];
    // One process for each, since a process that is blocked takes nothing.
    const blocked = await Promise.all(
      ids.map(() => stack.start("echo-worker", { ECHO_BLOCK_UNTIL: woken })),
    );
    const asked = await Promise.all(
      ids.map((id) => stack.api.post("/v1/jobs", { job: "echo", payload: { id } })),
    );
    await until(async () => (await running(stack)) === ids.length, { deadlineMs: 30_000 });

    t.tell("two processes are blocked; a third is there");
    await stack.start("echo-worker");
    const thirdAt = performance.now();
    await untilAllOver(stack.db, 30_000);
    const elsewhereMs = performance.now() - thirdAt;
    const before = await statesOf(
      stack.db,
      asked.map(({ headers }) => headers.get("location") ?? ""),
    );
    t.tell("the blocked ones wake up, and would now have their effect");
    writeFileSync(woken, "");
    await Promise.all(blocked.map((worker) => worker.stop()));
    const effects = await effectCount(stack);

    t.figure("doneElsewhereMs", elsewhereMs);
    t.figure("attempts", await attemptCount(stack));
    t.figure("effects", effects);
    t.must("both are done elsewhere meanwhile", before["completed"] === ids.length);
    t.must("each was started twice", (await attemptCount(stack)) >= 2 * ids.length);
    t.must("each has its effect once", effects === ids.length);
  },
});

const running = (stack: Stack) => numberOf(stack.db, sql`job_runs WHERE running_on IS NOT NULL`);
const attemptCount = (stack: Stack) => numberOf(stack.db, sql`job_attempts`);
const effectCount = (stack: Stack) => numberOf(stack.db, sql`drill_effects`);
