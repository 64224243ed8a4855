import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { NewRun } from "../../src/index.ts";
import { aRun, setup } from "./setup.ts";

const inTurn = { requestedBy: null, traceparent: null };
const wish = (change: Partial<NewRun> = {}) => ({ run: aRun(change), request: { ...inTurn } });

test("many wishes are recorded at once, each with its request, answered in their order", async () => {
  await using t = await setup();
  const waiting = await t.ask({ slot: "b", payload: { n: 0 } });
  const { asked } = await t.store.commitAll(
    [
      { ...wish({ slot: "c", payload: { n: 1 } }), request: { ...inTurn, requestedBy: "anna" } },
      wish({ slot: "b", payload: { n: 2 }, companyId: randomUUID() }),
      wish({ payload: { n: 3 } }),
      wish({ payload: { n: 3 } }),
      wish({ slot: "c", queue: "email" }),
    ],
    false,
  );
  expect(asked.map(({ joined }) => joined)).toEqual([false, true, false, false, false]);
  expect(asked[1]?.runId).toBe(waiting.runId);
  expect(new Set(asked.map(({ runId }) => runId)).size).toBe(5);
  expect(await t.view(asked[0]?.requestId ?? "")).toMatchObject({
    requestedBy: "anna",
    run: { payload: { n: 1 } },
  });
  expect(await t.runOf(waiting.requestId)).toMatchObject({ payload: { n: 2 } });
});

test("none at all is recorded as nothing", async () => {
  await using t = await setup();
  expect(await t.store.commitAll([], true)).toEqual({ asked: [], taken: [] });
});

test("together they leave what they leave one after the other, whatever shares a slot", async () => {
  await using t = await setup();
  const wishes = fc.array(
    fc.record({
      slot: fc.constantFrom("a", "b", "c", null),
      priority: fc.integer({ min: 0, max: 3 }),
      dueInMs: fc.option(fc.integer({ min: 1, max: 9 })),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(wishes, fc.integer({ min: 0, max: 12 }), async (wanted, before) => {
      const runs = (queue: string) =>
        wanted.map(({ dueInMs, ...run }, n) =>
          aRun({
            ...run,
            queue,
            payload: { n },
            dueAt: dueInMs === null ? null : new Date(1_900_000_000_000 + dueInMs),
            deadlineAt: new Date(1_900_000_100_000),
          }),
        );
      /** Some asked for alone, the others by `rest`; what there is then, without what is random. */
      const world = async (rest: (runs: NewRun[]) => Promise<Array<{ requestId: string }>>) => {
        const all = runs(randomUUID());
        const first = [];
        for (const run of all.slice(0, before)) first.push(await t.ask(run));
        const asked = [...first, ...(await rest(all.slice(before)))];
        const views = await Promise.all(asked.map(({ requestId }) => t.view(requestId)));
        const ids = [...new Set(views.map(({ run }) => run.id))];
        return views.map(({ joined, run: { id, payload, priority, dueAt } }) => ({
          joined,
          run: ids.indexOf(id),
          payload,
          priority,
          dueAt,
        }));
      };
      const together = await world(async (rest) => {
        const all = rest.map((run) => ({ run, request: { ...inTurn } }));
        return (await t.store.commitAll(all, false)).asked;
      });
      const inTurns = await world(async (rest) => {
        const asked = [];
        for (const run of rest) asked.push(await t.ask(run));
        return asked;
      });
      expect(together).toEqual(inTurns);
    }),
    { numRuns: 40 },
  );
});

test.each([
  ["with slots, which take several statements", "a"],
  ["without slots", null],
])("committed by themselves, all are recorded or none: %s", async (_what, slot) => {
  await using t = await setup();
  const recorded = () => t.db.kysely.selectFrom("jobRequests").select("id").execute();

  const broken = t.store.commitAll(
    [wish({ slot, payload: { n: 1 } }), wish({ slot, payload: { n: 2 }, companyId: "not an id" })],
    false,
  );
  await expect(broken).rejects.toThrow("invalid input syntax for type uuid");
  expect(await recorded()).toEqual([]);

  const wishes = [wish({ slot, payload: { n: 1 } }), wish({ slot })];
  const { asked } = await t.store.commitAll(wishes, false);
  expect(asked.map(({ joined }) => joined)).toEqual([false, slot !== null]);
  expect(await recorded()).toHaveLength(2);
});
