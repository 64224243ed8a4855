import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Bench } from "../src/bench.ts";
import { seenOf } from "../src/interleave.ts";
import { resultsPage } from "../src/results.ts";
import { runBench } from "../src/run-bench.ts";
import { openServers } from "../src/servers.ts";

test("noise is told where it was measured, and is not said to be none elsewhere", async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "ballast-bench-"));
  await using servers = openServers(folder.path);
  const told: string[] = [];
  const claim = { value: 1, unit: "s", goal: { atMost: 1 }, against: "nobody", rounds: 2 };
  const bench: Bench = {
    name: "counts",
    about: "two figures",
    async run({ state, table, compare }) {
      state({ ...claim, figure: "counted" });
      state({ ...claim, figure: "timed", probesMs: [20, 22, 30] });
      const waits = seenOf([{ ours: { waited: 1 }, theirs: { waited: 2 } }], []);
      table("waits", waits, ["ours", "theirs"]);
      compare(waits, { ...claim, ours: "ours", theirs: "theirs", figure: "waited" });
    },
  };

  const report = await runBench(bench, {
    quick: true,
    servers,
    dataDir: folder.path,
    stopping: new AbortController().signal,
    tell: (text) => told.push(text),
  });

  expect(report.failure).toBeUndefined();
  expect(report.claims.map(({ noisePercent }) => noisePercent)).toEqual([null, 10, null]);
  expect(told).toContainEqual(expect.stringMatching(/waits: medians of 1 rounds\n/));
  const page = resultsPage([report], "a machine", "today");
  expect(page).toMatch(/\| counted \|.*\| – \|$/m);
  expect(page).toMatch(/\| timed \|.*\| 10 % \|$/m);
});
