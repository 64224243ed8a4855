import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasTicks, tickAfter, tickUpTo } from "../../src/schedules/ticks.ts";

/** Both hemispheres, half an hour's change, changes at midnight, and none. */
const timeZones = fc.constantFrom(
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Asia/Kolkata",
  "Pacific/Apia",
);
const moments = fc.date({
  min: new Date("2024-01-01T00:00:00Z"),
  max: new Date("2028-01-01T00:00:00Z"),
  noInvalidDate: true,
});
const dailyTimes = fc
  .tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 23 }), timeZones)
  .map(([minute, hour, timeZone]) => ({ cron: `${minute} ${hour} * * *`, timeZone }));

const dayIn = (timeZone: string, moment: Date) =>
  new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short" }).format(moment);

test("a daily time comes once on each day, whatever the clocks do", () => {
  fc.assert(
    fc.property(dailyTimes, moments, (times, from) => {
      let tick = tickAfter(times, from);
      for (let day = 0; day < 40; day += 1) {
        const next = tickAfter(times, tick);
        const [a, b] = [tick, next].map((one) => Date.parse(dayIn(times.timeZone, one)));
        expect((b ?? 0) - (a ?? 0)).toBe(86_400_000);
        tick = next;
      }
    }),
    { numRuns: 60 },
  );
});

test("the last tick up to a moment is followed by the first after it", () => {
  fc.assert(
    fc.property(dailyTimes, moments, (times, moment) => {
      const last = tickUpTo(times, moment) ?? moment;
      expect(last.getTime()).toBeLessThanOrEqual(moment.getTime());
      expect(tickAfter(times, last)).toEqual(tickAfter(times, moment));
    }),
  );
});

test("a tick itself is the last up to it, and not the first after it", () => {
  const times = { cron: "0 3 * * *", timeZone: "Europe/Berlin" };
  const tick = new Date("2026-07-01T01:00:00Z");
  expect(tickUpTo(times, tick)).toEqual(tick);
  expect(tickAfter(times, tick)).toEqual(new Date("2026-07-02T01:00:00Z"));
});

test("a tick that comes within the second has not come", () => {
  const times = { cron: "0 3 * * *", timeZone: "Europe/Berlin" };
  const before = new Date("2026-07-01T00:59:59.001Z");
  expect(tickUpTo(times, before)).toEqual(new Date("2026-06-30T01:00:00Z"));
});

test("in spring a time that is skipped comes as soon as it has been skipped", () => {
  const times = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
  const tick = tickAfter(times, new Date("2026-03-28T12:00:00Z"));
  expect(tick).toEqual(new Date("2026-03-29T01:00:00Z"));
});

test.for(["0 3 30 2 *", "99 3 * * *", "0 3 * *"])("%s never comes", (cron) => {
  expect(hasTicks({ cron, timeZone: "Europe/Berlin" })).toBe(false);
});
