import type { Tx } from "@ballast/database";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { handle, type RunStore, startWorker } from "../../src/index.ts";
import { setup, testJob } from "./setup.ts";

const RUNS = 400;
const CONCURRENCY = 40;
/** A busy machine may keep a process from renewing a lock of a second; that is not what is tested. */
const PATIENT = { lockDurationMs: 20_000, stalledIntervalMs: 5_000 };

/** The store, and how often each of its statements was sent. */
function counted(store: RunStore<Tx>) {
  const calls = new Map<string, number>();
  const counting = new Proxy(store, {
    get(target, name: keyof RunStore<Tx> & string) {
      const method = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return method(...args);
      };
    },
  });
  return { store: counting, calls };
}

describeEachEngine("a worker under load", (engine) => {
  test("shares its round trips to PostgreSQL among its jobs", { timeout: 90_000 }, async () => {
    await using t = await setup(engine);
    const job = testJob();
    const asked = [];
    for (let nth = 0; nth < RUNS; nth += 1) asked.push(await t.ask(job, { thing: `${nth}` }));
    await t.dispatch();
    const { store, calls } = counted(t.store);
    const began = Date.now();
    await using _worker = await startWorker({
      queue: { ...job.queue, ...PATIENT },
      concurrency: CONCURRENCY,
      engine: t.engine,
      store,
      telemetry: t.telemetry,
      handlers: [handle(job, async ({ payload }) => ({ done: payload.thing }))],
    });
    for (const { requestId } of asked) await t.reach(requestId, "completed");
    const seconds = (Date.now() - began) / 1_000;

    const of = (name: string) => calls.get(name) ?? 0;
    // Ends by the clock, each 500 ms at most; starts by the turn of the event loop they come in.
    expect(of("ended"), `ends in ${seconds} s`).toBeLessThanOrEqual(2 * seconds + 2);
    expect(of("start")).toBeLessThan(RUNS / 2);
    expect(of("adopt") + of("progressed") + of("touch")).toBeLessThanOrEqual(2);
  });
});
