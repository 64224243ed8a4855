import { expect, test } from "vitest";
import { openCounts } from "../../src/marketplaces/counts.ts";

function setup() {
  let time = 0;
  const counts = openCounts(() => time);
  return {
    counts,
    at(ms: number) {
      time = ms;
      return counts;
    },
  };
}

test("a call before the time that a refusal asked for is early, one at that time is not", () => {
  const t = setup();
  t.at(0).called();
  t.at(0).throttled(2_000);
  t.at(1_000).called();
  t.at(2_000).called();
  expect(t.counts.read()).toMatchObject({ calls: 3, throttled: 1, early: 1, spanMs: 2_000 });
});

test("a call that was on its way when another was refused disobeys nobody", () => {
  const t = setup();
  t.at(0).throttled(2_000);
  t.at(80).called();
  expect(t.counts.read().early).toBe(0);
});

test("a refusal that asks for no wait makes no call early", () => {
  const t = setup();
  t.at(0).throttled();
  t.at(500).called();
  expect(t.counts.read()).toMatchObject({ throttled: 1, early: 0 });
});

test("writes are counted with their items", () => {
  const t = setup();
  t.counts.wrote(100);
  t.counts.wrote(7);
  expect(t.counts.read()).toMatchObject({ writes: 2, items: 107 });
});
