import { readFileSync } from "node:fs";
import { type ServiceProcess, startServiceProcess, untilReady } from "@ballast/local";

/** One process of one app. */
export interface Replica {
  /** Told apart by a number: `email-worker-2`. */
  readonly name: string;
  readonly app: string;
  readonly opsUrl: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** How it ended, in words: "exit code 0", "SIGKILL". */
  readonly ended: Promise<string>;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the milliseconds it took. */
  stop(): Promise<number>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  untilReady(timeoutMs?: number): Promise<void>;
  /** The lines it has logged so far. */
  log(): readonly LogLine[];
}

export interface LogLine {
  readonly level: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

interface ReplicaOptions {
  readonly app: string;
  readonly name: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its main file, where it is none of the apps. */
  readonly main?: string;
}

export async function startReplica(options: ReplicaOptions): Promise<Replica & AsyncDisposable> {
  const service: ServiceProcess = await startServiceProcess(options);
  const { process: own, logFile, opsUrl } = service;
  return {
    name: options.name,
    app: options.app,
    opsUrl,
    pid: own.pid,
    hasEnded: own.hasEnded,
    ended: own.ended,
    kill: () => own.end([["SIGKILL", 5_000]]),
    async stop() {
      const began = performance.now();
      await own.end([["SIGTERM", 60_000]]);
      return Math.round(performance.now() - began);
    },
    freeze: () => void own.child.kill("SIGSTOP"),
    thaw: () => void own.child.kill("SIGCONT"),
    untilReady: (timeoutMs) =>
      untilReady(options.name, service, new AbortController().signal, timeoutMs),
    log: () => readFileSync(logFile, "utf8").split("\n").flatMap(parsed),
    async [Symbol.asyncDispose]() {
      // Good manners at the end cost seconds, and nobody looks any more; those who do call stop().
      await own.end([["SIGKILL", 5_000]]);
    },
  };
}

/** What a process writes before it has a logger is no JSON. */
function parsed(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
}
