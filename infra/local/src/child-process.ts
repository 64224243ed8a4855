import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { type EndingHints, recordProcess } from "./leftovers.ts";

/** A server that we started and will end. */
export interface OwnProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves once it has ended, with the words for it: "exit code 1", "SIGKILL". Never rejects. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** The last 8,000 characters it wrote to stdout and stderr. */
  output(): string;
  /** Send the signals one after the other, each with its time to work in milliseconds, then SIGKILL. */
  end(steps: ReadonlyArray<readonly [NodeJS.Signals, number]>): Promise<void>;
}

interface OwnProcessOptions {
  readonly what: string;
  readonly dataDir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn?: SpawnOptions;
  /** Written to its stdin, which is then closed. */
  readonly input?: string;
  /** For the next start, should this process be killed before it could end its own. */
  readonly leftover?: EndingHints;
  readonly onOutput?: (chunk: string) => void;
}

/**
 * Start a process that is ours: recorded until it has ended, and in a group of its own, so that a
 * Ctrl-C at the terminal reaches us alone and we stop everything in order.
 *
 * @throws if the command cannot be run at all
 */
export async function startOwnProcess(options: OwnProcessOptions): Promise<OwnProcess> {
  const child = spawn(options.command, options.args, {
    ...options.spawn,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  await new Promise<void>((started, failed) => {
    child.once("spawn", started);
    child.once("error", (error) =>
      failed(new Error(`${options.what} did not start: ${error.message}`)),
    );
  });
  const pid = child.pid ?? 0;
  const forget = recordProcess(options.dataDir, pid, options.what, options.leftover);

  let tail = "";
  let over = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      tail = (tail + chunk).slice(-8_000);
      options.onOutput?.(chunk);
    });
  }
  child.stdin?.on("error", () => {}).end(options.input ?? "");
  const ended = new Promise<string>((resolve) => {
    // "close" comes after the last output, unless a grandchild holds the pipes: then "exit" must do.
    child.once("exit", (code, signal) => {
      over = true;
      forget();
      const words = signal ?? `exit code ${code}`;
      const late = setTimeout(() => resolve(words), 200);
      child.once("close", () => {
        clearTimeout(late);
        resolve(words);
      });
    });
  });

  return {
    pid,
    child,
    ended,
    hasEnded: () => over,
    output: () => tail,
    async end(steps) {
      for (const [signal, patienceMs] of steps) {
        if (over) break;
        child.kill(signal);
        await settled(ended, patienceMs);
      }
      if (!over) child.kill("SIGKILL");
      await ended;
    },
  };
}

async function settled(ended: Promise<unknown>, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((over) => {
    timer = setTimeout(over, patienceMs);
  });
  await Promise.race([ended, patience]);
  clearTimeout(timer);
}
