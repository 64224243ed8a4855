import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { root } from "../src/checkout.ts";

const launch = (...args: string[]) =>
  spawn(process.execPath, [join(root, "infra/local/launch.mjs"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });

test("a launched file runs under Node 24, gets its arguments and the signals, and its exit code is ours", async () => {
  const child = launch(join(import.meta.dirname, "fixtures/answer-signal.ts"), "--once", "a b");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  expect(JSON.parse(line)).toEqual({
    node: expect.stringMatching(/^24\./),
    argv: ["--once", "a b"],
  });
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([7, null]);
});

test("a tool of the workspace can be launched, and only its own words are on stdout", async () => {
  const child = launch("--bin", "tsc", "--version");
  expect(await text(child.stdout)).toMatch(/^Version 7\.\d+\.\d+\n$/);
});
