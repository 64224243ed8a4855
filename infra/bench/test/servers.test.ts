import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { cpuSecondsOf } from "../src/servers.ts";

test.runIf(process.platform === "linux")(
  "what a process and its children spent never falls as children end",
  async () => {
    const burn = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    const child = spawn("sh", [
      "-c",
      `for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do (${burn}); done; read x`,
    ]);
    const seen = [0];
    const until = performance.now() + 2_000;
    while (performance.now() < until) seen.push(cpuSecondsOf(child.pid ?? 0));
    child.stdin.end();
    await once(child, "exit");
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBeGreaterThan(0.1);
  },
);
