import { setTimeout as pause } from "node:timers/promises";
import { doubledEffects, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import { impatientReconciler, quickDrillLock } from "../tuning.ts";

/** What was acknowledged in this time is gone: Redis syncs once a second, and a replica may be as far behind. */
const FORGOTTEN_MS = 800;

/**
 * The engine's server dies under load and comes back as it was a moment before: it gives away again what
 * workers have or have just finished, and knows nothing of what it was given last. The effects of `echo`
 * have no ledger here.
 */
export const engineForgets = defineDrill({
  name: "engine-forgets",
  promise:
    "the engine comes back as it was 0.8 s before, under load: nothing is lost, no effect is doubled",
  onPostgres: {
    status: "not-applicable",
    why: "what PostgreSQL has acknowledged it does not forget",
  },
  sabotages: [
    {
      without: "patience with a worker that the engine has forgotten",
      file: "packages/database/src/run-store/start.ts",
      find: "WHEN l.state = 'started' AND l.unreported AND l.first THEN 'running'",
      replace: "",
    },
    {
      without: "the search for runs that went silent",
      file: "packages/jobs/src/reconciler.ts",
      find: "const found = await store.silent(silentMs, PAGE + left);",
      replace: "const found: SilentRun[] = [];",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1 },
      echoWorkers: 2,
      // Somewhat less than is asked for, so that some wait: what came last is forgotten wholly.
      env: { ECHO_MS: "1500", ECHO_CONCURRENCY: "30" },
      tuning: t.sized([quickDrillLock, impatientReconciler], []),
    });
    const [perSecond, gapMs, times] = t.sized([50, 1_500, 2], [50, 6_000, 10]);

    t.tell("requests at a steady rate, and the engine forgets what came last");
    const over = new AbortController();
    const running = load({
      perSecond,
      seconds: 600,
      request: (n) => stack.api.post("/v1/jobs", { job: "echo", payload: { id: `bare-n${n}` } }),
      signal: AbortSignal.any([over.signal, t.signal]),
    });
    for (let time = 0; time < times; time++) {
      await pause(gapMs, undefined, { signal: t.signal });
      await stack.engine.rewind(FORGOTTEN_MS);
    }
    await pause(gapMs, undefined, { signal: t.signal });
    over.abort();
    const report = await running;
    const doneMs = await untilAllOver(stack.db, t.sized(30_000, 150_000));
    const states = await statesOf(stack.db, report.accepted);

    t.figure("requests", report.sent);
    t.figure("times", times);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("doubledEffects", await doubledEffects(stack.db));
    t.figure("doneAfterMs", doneMs ?? -1);
    t.must("every request is accepted", report.refusedCount === 0);
    t.must("every request is completed", states["completed"] === report.accepted.length);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
  },
});
