import { spawn } from "node:child_process";

/** Lines of a failed command that are shown. */
const TAIL_LINES = 40;

/**
 * Run a command to its end.
 *
 * @returns what it wrote to stdout
 * @throws {Error} with the last lines of what it said
 */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      all += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      all += chunk;
    });
    child.once("error", (error) => reject(new Error(`${command}: ${error.message}`)));
    child.once("close", (code) => {
      if (code === 0) return resolve(out);
      const tail = all.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
      reject(new Error(`${command} ${args[0] ?? ""} failed (${code}):\n${tail}`));
    });
  });
}

export const works = (command: string, args: readonly string[]): Promise<boolean> =>
  run(command, args).then(
    () => true,
    () => false,
  );
