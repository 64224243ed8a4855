import { expect, test } from "vitest";
import { recyclingReason } from "../src/recycling.ts";

const limits = { recycleAfterPages: 100, maxMemoryMb: 500 };

test.each([
  [{ pagesPrinted: 99, memoryMb: 500 }, undefined],
  [{ pagesPrinted: 100, memoryMb: 10 }, "pages"],
  [{ pagesPrinted: 1, memoryMb: 501 }, "memory"],
  [{ pagesPrinted: 1, memoryMb: undefined }, undefined],
])("a browser with %j is replaced for: %s", (use, reason) => {
  expect(recyclingReason(use, limits)).toBe(reason);
});
