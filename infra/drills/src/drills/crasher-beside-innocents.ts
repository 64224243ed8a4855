import { sql } from "kysely";
import { numberOf, runsByState } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { keepUp } from "../keep-up.ts";
import { quickDrillLock } from "../tuning.ts";

/** One job ends its process, again and again: it runs alone, and dies alone. */
export const crasherBesideInnocents = defineDrill({
  name: "crasher-beside-innocents",
  promise:
    "a job that throws outside its promise beside 9 slow ones: no innocent dies, the crasher is parked",
  sabotages: [
    {
      without: "the attempt being known whose error it was",
      file: "packages/jobs/src/crash.ts",
      find: "const culprit = working.getStore();",
      replace: "const culprit = undefined;",
    },
  ],
  async run(t) {
    const stack = await t.open({ tuning: t.sized([quickDrillLock], []) });
    const innocents = 9;
    for (let n = 0; n < innocents; n++)
      await stack.api.post("/v1/jobs", { job: "echo", payload: { id: `takes-2000-${n}` } });
    await stack.api.post("/v1/jobs", { job: "echo", payload: { id: "crash-1" } });

    t.tell("workers end with the crasher, and are started again");
    const { starts, allOver } = await keepUp(stack, "echo-worker", t.sized(60_000, 180_000));
    const states = await runsByState(stack.db);
    const dead = await numberOf(
      stack.db,
      sql`dead_letters WHERE payload->>'id' = 'crash-1' AND code = 'crashed_process'`,
    );
    const burned = await numberOf(
      stack.db,
      sql`job_runs WHERE payload->>'id' <> 'crash-1' AND attempts_made > 0`,
    );
    const blamed = await numberOf(
      stack.db,
      sql`job_attempts a JOIN job_runs r ON r.id = a.run_id
        WHERE a.outcome = 'lost' AND r.payload->>'id' <> 'crash-1'`,
    );
    t.figure("workerStarts", starts);
    t.figure("innocentsCompleted", states["completed"] ?? 0);
    t.figure("crasherParked", dead);
    t.must("all is over in time", allOver);
    t.must("every innocent is completed", states["completed"] === innocents);
    t.must("no innocent's attempt is counted", burned === 0);
    t.must("no innocent is blamed for the crash", blamed === 0);
    t.must("the crasher is parked with its story", dead === 1);
    t.must("the crasher ended few processes", starts <= 6);
  },
});
