import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Run a script of `fixtures/` until it has printed its first line; it is killed with the test. */
export async function heldChild(script: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures", script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "--conditions=@ballast/source" },
  });
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface(child.stdout), "line") as Promise<[string]>,
    exited.then(() => Promise.reject(new Error(`${script} ended before it said anything`))),
  ]);
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  return { line, pid: child.pid ?? 0, kill, [Symbol.asyncDispose]: kill };
}
