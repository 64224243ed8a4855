import { cancelRequest } from "@ballast/database";
import { describeEachEngine, until } from "@ballast/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createRequests,
  handle,
  PermanentError,
  reconcile,
  TransientError,
} from "../../src/index.ts";
import { byThing, type Setup, setup, testJob } from "./setup.ts";

/** Nothing of ours takes this long, also on a busy machine: whoever runs keeps its lock. */
const PATIENT = { lockDurationMs: 20_000, stalledIntervalMs: 5_000, concurrency: 3 };
/** The same for the reconciler: a run that a worker has is left to it. */
const PATIENCE_MS = 20_000;

type Step =
  | { do: "wish" | "wish and take"; slot: number }
  | { do: "cancel"; which: number }
  | { do: "wait" | "wipe" | "replace the worker" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom("wish", "wish and take"), slot: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), which: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wipe" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("replace the worker" as const) }) },
);
/** How attempts end, one after another. */
const ends = fc.array(fc.constantFrom("done", "done", "done", "retry", "retry", "dead"), {
  minLength: 10,
  maxLength: 10,
});
const steps = fc.array(step, { minLength: 15, maxLength: 30, size: "max" });

const job = testJob({
  slot: byThing,
  attempts: 10,
  backoff: { type: "fixed", delayMs: 20, jitter: 0 },
});

describeEachEngine("wishes, cancellations, failures and wipes of an engine", (engine) => {
  test("leave no wish unseen and double no slot", { timeout: 240_000 }, async () => {
    await using t = await setup(engine);
    await reconcile(t);
    const dispatcher = await t.dispatch();
    const requests = createRequests({ store: t.store, dispatcher });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(steps, ends, async (script, outcomes) => {
        round += 1;
        await play({ ...t, requests }, `round ${round}`, script, outcomes);
      }),
      { numRuns: 5, endOnFailure: true },
    );
  });
});

async function play(
  t: Setup,
  name: string,
  script: readonly Step[],
  outcomes: readonly string[],
): Promise<void> {
  const wishes: { requestId: string; runId: string; change: number; cancelled: boolean }[] = [];
  const seen = new Map<string, number>();
  const running = new Set<string>();
  const overlaps: string[] = [];
  let starts = 0;
  let change = 0;

  const handler = handle(job, async ({ payload: { thing, change: asked }, runId }) => {
    const outcome = outcomes[starts % outcomes.length];
    starts += 1;
    if (running.has(thing)) overlaps.push(thing);
    running.add(thing);
    seen.set(runId, asked);
    await t.db.ping(); // long enough for others to come between
    running.delete(thing);
    if (outcome === "retry") throw new TransientError("busy", "not yet");
    if (outcome === "dead") throw new PermanentError("gone", "never");
    return { done: thing };
  });
  let worker = await t.work([handler], PATIENT);

  /** Whatever runs may finish: then nobody is left whom a second look could disturb. */
  const reconcileIfIdle = async () => {
    if (running.size === 0) await reconcile({ ...t, silentMs: 1_000 });
  };
  const act = async (one: Step): Promise<void> => {
    switch (one.do) {
      case "wish": {
        change += 1;
        const asked = await t.ask(job, { thing: `${name} ${one.slot}`, change });
        wishes.push({ ...asked, change, cancelled: false });
        return;
      }
      case "wish and take": {
        change += 1;
        const payload = { thing: `${name} ${one.slot}`, change };
        const wish = { payload, companyId: null, requestedBy: "test" };
        for (const asked of await t.requests.commitAll(job, [wish]))
          wishes.push({ ...asked, change, cancelled: false });
        return;
      }
      case "cancel": {
        const wish = wishes[one.which % Math.max(1, wishes.length)];
        if (wish === undefined) return;
        const told = await cancelRequest(t.db, wish.requestId, "all");
        if (told?.kind !== "over") wish.cancelled = true;
        if (told?.kind === "cancelled" && told.engineJob !== null)
          await t.engine.remove(told.engineJob.queue, told.engineJob.id);
        return;
      }
      case "wait": {
        const [before, open] = [starts, (await openRuns(t, wishes)).length];
        if (open > 0)
          await until(async () => {
            await reconcileIfIdle();
            return starts > before || (await openRuns(t, wishes)).length < open;
          }, SOON);
        return;
      }
      case "wipe":
        await t.wipe();
        await reconcile({ ...t, silentMs: PATIENCE_MS });
        return;
      case "replace the worker":
        await worker[Symbol.asyncDispose]();
        worker = await t.work([handler], PATIENT);
        return;
      default:
        return one satisfies never;
    }
  };
  for (const one of script) await act(one);

  await until(async () => {
    await reconcileIfIdle();
    return (await openRuns(t, wishes)).length === 0;
  }, SOON);
  await worker[Symbol.asyncDispose]();

  expect(overlaps).toEqual([]);
  for (const wish of wishes) {
    const { run } = await t.view(wish.requestId);
    if (run.state === "cancelled") expect(wish.cancelled).toBe(true);
    else
      expect(seen.get(run.id), `what ${run.state} ${run.id} saw`).toBeGreaterThanOrEqual(
        wish.change,
      );
  }
}

const SOON = { deadlineMs: 60_000 };

async function openRuns(t: Setup, wishes: readonly { runId: string }[]): Promise<string[]> {
  if (wishes.length === 0) return [];
  const open = await t.db.kysely
    .selectFrom("jobRuns")
    .select("id")
    .where("id", "in", [...new Set(wishes.map(({ runId }) => runId))])
    .where("finishedAt", "is", null)
    .execute();
  return open.map(({ id }) => id);
}
