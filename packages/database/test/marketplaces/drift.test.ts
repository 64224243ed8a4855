import fc from "fast-check";
import { expect, test } from "vitest";
import { type ComparedListing, type DriftRule, threeWayDiff } from "../../src/index.ts";

const quantity = fc.nat({ max: 4 }); // few values, so that sides often agree
const listings: fc.Arbitrary<ComparedListing[]> = fc
  .array(
    fc.record({
      ours: quantity,
      version: fc.bigInt({ min: 1n, max: 9n }),
      confirmed: fc.option(quantity),
      isDirty: fc.boolean(),
      isMoving: fc.boolean(),
      corrections: fc.nat({ max: 4 }),
    }),
    { maxLength: 12 },
  )
  .map((some) => some.map((one, n) => ({ ...one, sku: `S${n}`, externalId: `x${n}` })));
const theirs = fc
  .array(fc.tuple(fc.nat({ max: 15 }), quantity), { maxLength: 12 })
  .map((pairs) => new Map(pairs.map(([n, held]) => [`x${n}`, held])));
const rule: fc.Arbitrary<DriftRule> = fc.record({
  winner: fc.constantFrom("ours", "theirs"),
  maxCorrections: fc.integer({ min: 1, max: 4 }),
});

const one = (change: Partial<ComparedListing> = {}): ComparedListing => ({
  sku: "S",
  externalId: "x",
  ours: 5,
  version: 1n,
  confirmed: 5,
  isDirty: false,
  isMoving: false,
  corrections: 0,
  ...change,
});

test.for<
  [string, Partial<ComparedListing>, number | undefined, DriftRule["winner"], object | null]
>([
  ["all three agree", {}, 5, "ours", null],
  ["only we changed", { ours: 6, isDirty: true }, 5, "ours", null],
  ["only they changed", {}, 4, "ours", { kind: "drifted", action: "push", theirs: 4 }],
  ["only they changed", {}, 4, "theirs", { kind: "drifted", action: "adopt" }],
  ["both changed", { ours: 6, isDirty: true }, 4, "ours", { kind: "both_changed", action: "none" }],
  ["both changed", { ours: 6, isDirty: true }, 4, "theirs", { action: "adopt" }],
  ["both changed to the same", { ours: 4, isDirty: true }, 4, "theirs", null],
  [
    "they list it no longer",
    {},
    undefined,
    "ours",
    { kind: "missing", theirs: null, action: "none" },
  ],
  ["they fight back", { corrections: 3 }, 4, "ours", { kind: "drifted", action: "give_up" }],
  ["it was told while they were read", { isMoving: true }, 4, "ours", null],
  ["it was never told yet", { confirmed: null, isDirty: true }, 4, "theirs", null],
])("%s: %o", ([, change, held, winner, expected]) => {
  const held_ = new Map(held === undefined ? [] : [["x", held]]);
  const { items } = threeWayDiff([one(change)], held_, { winner, maxCorrections: 3 });
  if (expected === null) expect(items).toEqual([]);
  else expect(items).toMatchObject([expected]);
});

test("two listings that stand for one article of theirs are both compared with it", () => {
  const listings = [one({ sku: "A", externalId: "x/1" }), one({ sku: "B", externalId: "x/2" })];
  const idThere = (externalId: string) => externalId.split("/")[0] ?? "";
  const rule = { winner: "ours" as const, maxCorrections: 3, idThere };
  const { items, unknown } = threeWayDiff(listings, new Map([["x", 4]]), rule);
  expect(items).toMatchObject([
    { externalId: "x/1", theirs: 4, action: "push" },
    { externalId: "x/2", theirs: 4, action: "push" },
  ]);
  expect(unknown).toBe(0);
});

test("each listing ends in exactly one list, and each article of theirs is known or counted", () => {
  fc.assert(
    fc.property(listings, theirs, rule, (some, held, by) => {
      const diff = threeWayDiff(some, held, by);
      const ended = [...diff.items, ...diff.inAgreement, ...diff.pending].map(({ sku }) => sku);
      expect(ended.sort()).toEqual(some.map(({ sku }) => sku).sort());
      const known = some.filter(({ externalId }) => held.has(externalId)).length;
      expect(diff.unknown).toBe(held.size - known);
    }),
  );
});

test("what is decided agrees afterwards, whoever wins", () => {
  fc.assert(
    fc.property(listings, theirs, rule, (some, held, by) => {
      const still = some.map((listing) => ({ ...listing, isMoving: false, corrections: 0 }));
      const { items } = threeWayDiff(still, held, by);
      const action = new Map(items.map((item) => [item.sku, item.action]));
      const after = new Map(held);
      const mended = still.map((listing) => {
        const heldNow = held.get(listing.externalId);
        if (heldNow === undefined) return listing;
        const adopted = action.get(listing.sku) === "adopt";
        const ours = adopted ? heldNow : listing.ours;
        // Everything that is dirty, and every push, is told.
        after.set(listing.externalId, ours);
        return { ...listing, ours, confirmed: ours, isDirty: false };
      });
      expect(
        threeWayDiff(mended, after, by).items.filter(({ kind }) => kind !== "missing"),
      ).toEqual([]);
    }),
  );
});

test("one that fights back is corrected as often as allowed, and never again", () => {
  fc.assert(
    fc.property(rule, fc.integer({ min: 0, max: 20 }), (by, nights) => {
      let listing = one();
      let corrected = 0;
      for (let night = 0; night < nights; night++) {
        const [item] = threeWayDiff([listing], new Map([["x", 1 + night]]), by).items;
        if (item?.action === "push" || item?.action === "adopt") {
          corrected++;
          listing = { ...listing, ours: 100, confirmed: 100, corrections: listing.corrections + 1 };
        }
      }
      expect(corrected).toBe(Math.min(nights, by.maxCorrections));
    }),
  );
});
