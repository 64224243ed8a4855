import { expect, test } from "vitest";
import { msBetween } from "../src/index.ts";

const LOG = `{"level":"info","time":"2026-01-31T23:59:59.900Z","msg":"told to stop"}
{"level":"info","time":"2026-02-01T00:00:01.000Z","msg":"worker stopped"}
`;

test("a log tells how long its service took", () => {
  expect(msBetween(LOG, "told to stop", "worker stopped")).toBe(1_100);
});

test("a message that is not there is named", () => {
  expect(() => msBetween(LOG, "told to stop", "service stopped")).toThrow(
    "not logged: service stopped",
  );
});
