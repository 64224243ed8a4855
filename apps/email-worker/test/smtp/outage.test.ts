import { expect, test } from "vitest";
import { Outage } from "../../src/smtp/outage.ts";

test("each failure after the wait is over doubles it, from 5 s to 60 s", () => {
  const outage = new Outage();
  let now = 0;
  const waits = Array.from({ length: 6 }, () => {
    const wait = outage.failed(now);
    now += wait;
    return wait;
  });

  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});

test("mails that fail together count as one failure", () => {
  const outage = new Outage();

  expect([0, 1, 2, 4_999].map((now) => outage.failed(now))).toEqual([5_000, 5_000, 5_000, 5_000]);
});

test("an answer ends it", () => {
  const outage = new Outage();
  outage.failed(0);
  outage.failed(5_000);
  outage.over();

  expect(outage.failed(15_000)).toBe(5_000);
});
