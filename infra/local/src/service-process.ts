import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./checkout.ts";
import { type OwnProcess, startOwnProcess } from "./child-process.ts";
import { freePort } from "./free-port.ts";

/** One app of ours, as it is to be run. */
export interface ServiceSpec {
  /** Folder under `apps/`. */
  readonly app: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Tells replicas of one app apart in the folder of logs; the app's name if absent. */
  readonly name?: string;
  /** Its main file, where it is none of the apps. */
  readonly main?: string;
  /** Run what is built, with these options of Node.js alone, as an image does; the sources if absent. */
  readonly built?: { readonly nodeOptions: string };
}

export interface ServiceProcess {
  readonly process: OwnProcess;
  readonly logFile: string;
  /** Where it serves /healthz, /readyz and /metrics. */
  readonly opsUrl: string;
}

/** Start the process of one app; its log goes to a file, the end of which is kept for bad news. */
export async function startServiceProcess(spec: ServiceSpec): Promise<ServiceProcess> {
  const logFile = join(spec.dataDir, "logs", `${spec.name ?? spec.app}.log`);
  const log = createWriteStream(logFile, { flags: "a" });
  const opsPort = await freePort();
  const process_ = await startOwnProcess({
    what: spec.name ?? spec.app,
    dataDir: spec.dataDir,
    command: process.execPath,
    args: spec.built
      ? [join(root, "apps", spec.app, "dist/main.js")]
      : ["--conditions=@ballast/source", spec.main ?? join(root, "apps", spec.app, "src/main.ts")],
    spawn: {
      cwd: root,
      env: {
        ...process.env,
        ...(spec.built && { NODE_OPTIONS: spec.built.nodeOptions }),
        OPS_HOST: "127.0.0.1",
        ...spec.env,
        OPS_PORT: String(opsPort),
      },
    },
    onOutput: (chunk) => log.write(chunk),
  });
  process_.ended.then(() => log.end());
  return { process: process_, logFile, opsUrl: `http://127.0.0.1:${opsPort}` };
}

/**
 * Wait until the service says that it is ready.
 *
 * @throws with the end of its log if it dies first or is not ready in time
 */
export async function untilReady(
  app: string,
  service: ServiceProcess,
  signal: AbortSignal,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (service.process.hasEnded()) {
      throw new Error(`${app} ended with ${await service.process.ended}:\n${lastLines(service)}`);
    }
    if (performance.now() > deadline) {
      throw new Error(`${app} was not ready after ${timeoutMs} ms:\n${lastLines(service)}`);
    }
    const answer = await fetch(`${service.opsUrl}/readyz`, { signal }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(50);
  }
}

/** The end of what it wrote, and where the rest is. */
export function lastLines(service: ServiceProcess, count = 30): string {
  const lines = service.process.output().trimEnd().split("\n").slice(-count);
  return [
    ...lines.map((line) => `  | ${line.slice(0, 500)}`),
    `  (all of it: ${service.logFile})`,
  ].join("\n");
}

/** A service hands its jobs back on SIGTERM; only one that hangs is killed. */
export const endServiceProcess = (service: ServiceProcess): Promise<void> =>
  service.process.end([["SIGTERM", 20_000]]);
