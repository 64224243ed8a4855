import { expect, test } from "vitest";
import { forecastOf } from "../src/stock/forecast.ts";

const now = new Date("2026-11-25T08:00:00Z");
const known = { now, restorePerSecond: 2, maxBatch: 100, awayUntil: null };
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

test.for<[string, { dirty: number; confirmedLastMinute: number }, object, object | null]>([
  ["nothing left", { dirty: 0, confirmedLastMinute: 0 }, {}, { caughtUpAt: now }],
  [
    "the pace of the last minute",
    { dirty: 600, confirmedLastMinute: 60 },
    {},
    { caughtUpAt: at(600) },
  ],
  ["the quota's pace", { dirty: 1_000, confirmedLastMinute: 0 }, {}, { caughtUpAt: at(5) }],
  [
    "from when the gate opens",
    { dirty: 1_000, confirmedLastMinute: 0 },
    { awayUntil: at(30) },
    { caughtUpAt: at(35) },
  ],
  ["nothing is known", { dirty: 1, confirmedLastMinute: 0 }, { restorePerSecond: null }, null],
])("a backlog is forecast by: %s", ([, backlog, change, expected]) => {
  const forecast = forecastOf(backlog, { ...known, ...change });
  if (expected === null) expect(forecast).toBeNull();
  else expect(forecast).toMatchObject(expected);
});
