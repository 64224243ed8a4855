import { setTimeout as pause } from "node:timers/promises";
import { statesOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";

/** The queue engine is gone while requests keep coming: they are rows, and wait for its return. */
export const engineDown = defineDrill({
  name: "engine-down",
  promise:
    "the queue engine is gone: no request is refused for it, none lost, all done within 30 s of its return",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the reconciler and the dispatcher's retry",
      file: "packages/jobs/src/dispatcher.ts",
      find: "while (!closing.signal.aborted) {",
      replace: "while (!closing.signal.aborted && failures === 0) {",
    },
  ],
  async run(t) {
    const stack = await t.open({ apps: { api: 2, "pdf-worker": 1 }, echoWorkers: 1 });
    const [perSecond, downSeconds] = t.sized([20, 4], [50, 30]);
    const invoices = await Promise.all(Array.from({ length: 5 }, () => stack.invoice()));
    const aroundSeconds = t.sized(0.5, 5);

    t.tell("requests at a steady rate");
    const running = load({
      perSecond,
      seconds: downSeconds + 2 * aroundSeconds,
      request: (n) => {
        const invoice = n % 10 === 0 ? invoices[(n / 10) % invoices.length]?.invoice : undefined;
        return invoice === undefined
          ? stack.api.post("/v1/jobs", { job: "echo", payload: { id: `n${n}` } })
          : stack.api.post(`/v1/invoices/${invoice.id}/pdf`);
      },
    });
    await pause(aroundSeconds * 1_000);
    t.tell("the engine goes");
    await stack.engine.stop();
    await pause(downSeconds * 1_000);
    t.tell("the engine is back");
    await stack.engine.start();
    const backAt = performance.now();
    const report = await running;
    await untilAllOver(stack.db, 35_000);
    const doneMs = performance.now() - backAt;
    const states = await statesOf(stack.db, report.accepted);

    t.figure("requests", report.sent);
    t.figure("refused", report.refusedCount);
    t.figure("slowestMs", report.slowestMs);
    t.figure("completed", states["completed"] ?? 0);
    t.figure("doneAfterReturnMs", doneMs);
    t.must("no request is refused", report.refusedCount === 0);
    t.must("no request takes over 2 s", report.slowestMs <= 2_000);
    t.must("every request is completed", states["completed"] === report.accepted.length);
    t.must("all is done within 30 s of its return", doneMs <= 30_000);
  },
});
