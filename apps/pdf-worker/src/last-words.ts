import { spawn } from "node:child_process";

const WAIT_MS = 2_000;
const MAX_CHARACTERS = 500;

/**
 * What a program says that does not start, e.g. which library it misses: Puppeteer does not keep it,
 * so it is started once more, alone. Empty if it starts after all, or says nothing within 2 s.
 */
export function lastWords(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: ["ignore", "ignore", "pipe"], detached: true });
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      words = `${words}${text}`.slice(-MAX_CHARACTERS);
    });
    const timer = setTimeout(() => {
      killGroup(child.pid);
      resolve("");
    }, WAIT_MS);
    child.once("error", ({ message }) => {
      clearTimeout(timer);
      resolve(message);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve(`it ended with ${code ?? signal}: ${words.replace(/\s+/g, " ").trim()}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // ended just now
  }
}
