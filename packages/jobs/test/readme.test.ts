import { readFile } from "node:fs/promises";
import { queueDefinitions, recoveryBoundMs } from "@ballast/contracts";
import { expect, test } from "vitest";

test("the README publishes how soon a killed worker's jobs run again, for every queue as its contract has it", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = readme.matchAll(/^\| `([a-z-]+)` +\| (\d+) s +\| (\d+) s +\| (\d+) s +\|$/gm);
  const published = [...rows].map(([, name, ...seconds]) => [name, ...seconds.map(Number)]);
  const wanted = queueDefinitions.map((queue) => [
    queue.name,
    queue.lockDurationMs / 1_000,
    queue.stalledIntervalMs / 1_000,
    recoveryBoundMs(queue) / 1_000,
  ]);
  expect(published.sort()).toEqual(wanted.sort());
});
