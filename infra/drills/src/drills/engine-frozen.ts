import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { doubledEffects, statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import type { Replica } from "../stack/replica.ts";
import type { Stack } from "../stack/stack.ts";

/** The worst kind of away: connections stand, and nothing is answered. Then it is away at every start. */
export const engineFrozen = defineDrill({
  name: "engine-frozen",
  promise:
    "the engine hangs for 20 s, or is absent when an app starts: no API call over 2 s, ready by itself within 10 s of its return, no ghosts",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "deadlines for what a status page asks the engine",
      file: "apps/api/src/jobs/engine-peek.ts",
      find: "const DEADLINE_MS = 300;",
      replace: "const DEADLINE_MS = 30_000;",
      also: [
        {
          file: "packages/jobs/src/engine/redis-connections.ts",
          find: "commandTimeout: 1_500,",
          replace: "",
        },
      ],
    },
    {
      without: "processes that wait for an engine that is absent at their start",
      file: "packages/jobs/src/unfit.ts",
      find: "await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => {});",
      replace: "throw error;",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "email-worker": 1, ...t.sized({}, { "pdf-worker": 1 }) },
      echoWorkers: 1,
      env: { ECHO_MS: "100" },
    });
    const [perSecond, frozenSeconds, aroundSeconds] = t.sized([10, 4, 1], [50, 20, 3]);

    t.tell("requests at a steady rate, and somebody reads a job's page");
    const parked = await stack.api.post("/v1/jobs", { job: "echo", payload: { id: "slow-1" } });
    const seconds = frozenSeconds + 2 * aroundSeconds;
    const running = load({
      perSecond,
      seconds,
      request: (n) => stack.api.post("/v1/jobs", { job: "echo", payload: { id: `n${n}` } }),
    });
    const waiting = load({ perSecond: 2, seconds, request: (n) => readWaiting(stack, n) });
    await pause(aroundSeconds * 1_000, undefined, { signal: t.signal });
    t.tell("the engine hangs");
    stack.engine.freeze();
    await pause(frozenSeconds * 1_000, undefined, { signal: t.signal });
    stack.engine.thaw();
    t.tell("the engine answers again");
    const report = await running;
    const pages = await waiting;
    await stack.api.delete(parked.headers.get("location") ?? "");
    const doneMs = await untilAllOver(stack.db, 60_000);
    const states = await statesOf(stack.db, report.accepted);

    t.figure("requests", report.sent);
    t.figure("slowestRequestMs", report.slowestMs);
    t.figure("slowestPageMs", pages.slowestMs);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("doneAfterMs", doneMs ?? -1);
    t.figure("doubledEffects", await doubledEffects(stack.db));
    t.must("no request is refused", report.refusedCount === 0);
    t.must("no request takes over 2 s", report.slowestMs <= 2_000);
    t.must("no page takes over 2 s", pages.slowestMs <= 2_000);
    t.must("every request is completed", states["completed"] === report.accepted.length);
    t.must("no ghost has a second effect", (await doubledEffects(stack.db)) === 0);

    t.tell("every app starts without its engine");
    const apps = stack.replicas().map(({ app }) => app);
    await Promise.all(stack.replicas().map((replica) => replica.kill()));
    await stack.engine.stop();
    const started = await Promise.all(apps.map((app) => stack.launch(app)));
    await Promise.all(started.map(answersAtAll));
    const early = started.filter(({ app }) => app === "api");
    const isApiReady = await areReady(early, 30_000);
    const inVain = await stack.api.post("/v1/jobs", { job: "echo", payload: { id: "early" } });
    await stack.engine.start();
    const backAt = performance.now();
    const areAllReady = await areReady(started, 10_000);
    const readyMs = performance.now() - backAt;
    await untilAllOver(stack.db, 60_000);
    const late = await statesOf(stack.db, [inVain.headers.get("location") ?? ""]);

    t.figure("readyAfterReturnMs", readyMs);
    t.must("the API is ready without it", isApiReady && inVain.status === 202);
    t.must("every app is ready within 10 s of its return", areAllReady);
    t.must("what was asked for meanwhile is done", late["completed"] === 1);
  },
});

/** The page of a job that waits asks the engine why; a load counts its answers as those of requests. */
async function readWaiting(stack: Stack, n: number) {
  const asked = await stack.api.post("/v1/jobs", { job: "echo", payload: { id: `read-${n}` } });
  const location = asked.headers.get("location") ?? "";
  return await stack.api.get(location);
}

/** Its process is up, however it feels. */
const answersAtAll = ({ opsUrl, ended }: Replica) =>
  Promise.race([
    ended,
    until(() => fetch(`${opsUrl}/healthz`).then(({ ok }) => ok), { deadlineMs: 60_000 }),
  ]);

const areReady = (replicas: readonly Replica[], withinMs: number): Promise<boolean> =>
  Promise.all(replicas.map((replica) => replica.untilReady(withinMs))).then(
    () => true,
    () => false,
  );
