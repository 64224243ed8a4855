import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dayPlus, hourOn } from "../../src/index.ts";

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Asia/Kathmandu",
  "Pacific/Kiritimati",
];
const days = fc
  .date({
    min: new Date("2024-01-01T00:00:00Z"),
    max: new Date("2028-01-01T00:00:00Z"),
    noInvalidDate: true,
  })
  .map((date) => date.toISOString().slice(0, 10));

const shown = (moment: Date, timeZone: string) =>
  new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "short" }).format(
    moment,
  );

test("an hour of a day is that hour on that day's clock, unless the clock skips it", () => {
  fc.assert(
    fc.property(
      days,
      fc.integer({ min: 4, max: 23 }),
      fc.constantFrom(...zones),
      (day, hour, zone) => {
        const time = `${String(hour).padStart(2, "0")}:00`;
        expect(shown(hourOn(day, hour, zone), zone)).toBe(`${day} ${time}`);
      },
    ),
  );
});

test("an hour that the clock skips is the same time after the change", () => {
  expect(hourOn("2026-03-29", 2, "Europe/Berlin")).toEqual(new Date("2026-03-29T01:00:00Z"));
});

test("an hour that the clock shows twice is the first of them", () => {
  expect(hourOn("2026-10-25", 2, "Europe/Berlin")).toEqual(new Date("2026-10-25T00:00:00Z"));
});

test("days are counted over the ends of months and years", () => {
  expect(dayPlus("2026-12-30", 3)).toBe("2027-01-02");
  expect(dayPlus("2028-03-01", -1)).toBe("2028-02-29");
});
