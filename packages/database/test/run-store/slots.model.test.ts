import fc from "fast-check";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { makePartitions } from "../../src/history/partitions.ts";
import { type Setup, setup } from "./setup.ts";
import type { Step } from "./slot-steps.ts";
import { SlotWorld } from "./slot-world.ts";

const slot = fc.nat(2);
const which = fc.nat(30);
const outcome = fc.constantFrom(
  ...(["completed", "retry", "postpone", "interrupted", "dead"] as const),
);

const afterClaim = fc.oneof(
  { weight: 4, arbitrary: fc.constant("hand over" as const) },
  { weight: 1, arbitrary: fc.constantFrom("give back", "die at once", "die later") },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("wish" as const),
      slot,
      held: often(false),
      late: often(false),
      priority: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wish and take" as const), slot, next: afterClaim }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("theirs" as const), slot }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("replay" as const),
      which,
      isChanged: often(false),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("dispatch" as const),
      limit: fc.integer({ min: 1, max: 3 }),
      next: afterClaim,
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      which,
      next: fc.oneof(
        { weight: 6, arbitrary: fc.constant("work" as const) },
        { weight: 1, arbitrary: fc.constantFrom("die unstarted", "die started") },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which,
      outcome,
      heard: fc.constantFrom("by both", "by both", "by engine", "by journal"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("stall", "cancel", "cancel", "give up"), which }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("stop cancelled", "release", "wipe", "reconcile", "expire", "move"),
    }),
  },
) as fc.Arbitrary<Step>;

function often(value: boolean): fc.Arbitrary<boolean> {
  return fc.nat(4).map((n) => (n === 4 ? !value : value));
}

test("whatever happens in whatever order, no wish is swallowed and no slot is doubled", async () => {
  await using t = await prepared();
  await fc.assert(
    fc
      .asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
        async (steps) => {
          const world = new SlotWorld(t, 3, { alone: true });
          for (const one of steps) {
            await world.act(one);
            await world.check();
          }
          await world.settle();
        },
      )
      .beforeEach(() => empty(t)),
    { numRuns: 50 },
  );
}, 240_000);

test("nor if all of it happens at once", async () => {
  await using t = await prepared();
  const lane = fc.array(step, { minLength: 5, maxLength: 30, size: "max" });
  await fc.assert(
    fc
      .asyncProperty(fc.array(lane, { minLength: 2, maxLength: 4 }), async (lanes) => {
        const world = new SlotWorld(t, 2, { alone: false });
        const acting = lanes.map(async (steps) => {
          for (const one of steps) await world.act(one);
        });
        await Promise.all(acting);
        await world.settle();
      })
      .beforeEach(() => empty(t)),
    { numRuns: 30 },
  );
}, 240_000);

async function prepared() {
  const t = await setup();
  await makePartitions(t.db, new Date(), new Date());
  return t;
}

/** Of what a counterexample left behind. */
const empty = async (t: Setup) => {
  await sql`DELETE FROM job_runs`.execute(t.db.kysely);
  expect(await t.claim()).toEqual([]);
};
