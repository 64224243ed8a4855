import { expect, test } from "vitest";
import { openShelf } from "../../src/marketplaces/shelf.ts";

const stock = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`SKU${n}`, n % 3]));
const open = (seed: number) => openShelf(stock, { seed, idOf: (_sku, n) => `id-${n}` });

test("a share drifts by itself: the same for the same seed, never below nothing", () => {
  const shelf = open(7);
  const changed = shelf.drift(0.05);
  expect(changed.length).toBeGreaterThan(2);
  expect(changed.length).toBeLessThan(25);
  for (const [sku, quantity] of shelf.stock) {
    expect(quantity !== stock[sku]).toBe(changed.includes(sku));
    expect(quantity).toBeGreaterThanOrEqual(0);
  }
  expect(open(7).drift(0.05)).toEqual(changed);
  expect(open(8).drift(0.05)).not.toEqual(changed);
});

test("what fights back says yes and stays what it was", () => {
  const shelf = open(1);
  shelf.fightBack(["SKU1"]);
  expect(shelf.write("id-1", 50)).toBe(true);
  expect(shelf.write("id-2", 50)).toBe(true);
  expect([shelf.stock.get("SKU1"), shelf.stock.get("SKU2")]).toEqual([1, 50]);
  shelf.fightBack([]);
  shelf.write("id-1", 50);
  expect(shelf.stock.get("SKU1")).toBe(50);
});

test("an id that it never gave is no listing", () => {
  expect(open(1).write("id-999", 1)).toBe(false);
  expect(() => open(1).externalId("STRANGER")).toThrow("no listing for STRANGER");
});
