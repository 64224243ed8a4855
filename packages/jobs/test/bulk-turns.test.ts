import fc from "fast-check";
import { expect, test } from "vitest";
import { bulkTurns, isBulk } from "../src/bulk-turns.ts";
import type { ClaimedRun } from "../src/store.ts";

let made = 0;
const runs = (count: number, priority: number, queue = "pdf"): ClaimedRun[] =>
  Array.from({ length: count }, () => {
    made += 1;
    return { id: `${made}`, queue, priority, inEngine: false } as ClaimedRun;
  });

test("however urgent work comes, one of five is bulk for as long as bulk waits", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5 }), (waves) => {
      const turns = bulkTurns();
      let [urgent, bulk] = [0, 0];
      for (const count of waves) {
        const owed = turns.owed()["pdf"] ?? 0;
        // Without room for bulk: what is owed is all there is.
        const taken = turns.take([...runs(count, 0), ...runs(owed, 1_000)]);
        expect(taken.filter(isBulk)).toEqual([]);
        urgent += count;
        bulk += owed;
      }
      bulk += turns.owed()["pdf"] ?? 0;
      expect(bulk).toBe(Math.floor(urgent / 4));
    }),
  );
});

test("turns are not saved up while no bulk work waits, and each queue has its own", () => {
  const turns = bulkTurns();
  for (let n = 0; n < 100; n += 1) turns.take(runs(10, 0));
  expect(turns.owed()).toEqual({ pdf: 1 });
  turns.take(runs(8, 0, "email"));
  expect(turns.owed()).toEqual({ pdf: 1, email: 2 });
});

test("what went by without a look counts until one finds no bulk work", () => {
  const turns = bulkTurns();
  for (let n = 0; n < 100; n += 1) turns.passed(runs(10, 0));
  expect(turns.owed()).toEqual({ pdf: 250 });
  expect(turns.take(runs(3, 1_000)).map(({ hasTurn }) => hasTurn)).toEqual([true, true, true]);
  turns.passed(runs(8, 0));
  turns.take([]);
  expect(turns.owed()).toEqual({ pdf: 1 });
});

test("what there is room for anyway stays behind what is urgent", () => {
  const turns = bulkTurns();
  expect(turns.take(runs(3, 1_000)).map(({ priority }) => priority)).toEqual([1_000, 1_000, 1_000]);
});
