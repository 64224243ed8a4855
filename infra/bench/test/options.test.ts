import { expect, test } from "vitest";
import { catalogue } from "../src/catalogue.ts";
import { readOptions } from "../src/options.ts";

test.each([[["--quick"]], [["worker"]], [["worker", "--quick"]]])(
  "%j leaves RESULTS.md alone, which a part of a run would make a page of that part",
  (args) => {
    expect(() => readOptions([...args, "--write-results"], catalogue)).toThrow(
      "--write-results is for all benches in full size",
    );
    expect(readOptions(args, catalogue).writeResults).toBe(false);
  },
);

test("all benches in full size are written down", () => {
  expect(readOptions(["--write-results"], catalogue)).toMatchObject({
    benches: catalogue,
    writeResults: true,
  });
});

test("a bench that there is not is named, with those that there are", () => {
  expect(() => readOptions(["wroker"], catalogue)).toThrow(/"wroker"; there are .*worker/);
});
