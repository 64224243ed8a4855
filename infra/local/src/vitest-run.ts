import { spawn } from "node:child_process";
import { join } from "node:path";

/**
 * Run vitest over the workspace and pass its signals on.
 *
 * @returns its exit code; 128 plus the signal's number counts as 1
 */
export function runVitest(o: {
  root: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
}): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      join(o.root, "node_modules/vitest/vitest.mjs"),
      "run",
      ...["--config", join(o.root, "infra/local/vitest.config.ts")],
      ...["--reporter", "default", "--reporter", join(import.meta.dirname, "test-tally.ts")],
      ...o.args,
    ],
    { cwd: o.root, stdio: "inherit", env: o.env },
  );
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  }).finally(() => {
    for (const signal of signals) process.off(signal, forward);
  });
}
