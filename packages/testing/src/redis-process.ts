import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

export interface RedisProcess extends AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  /** Ends it as a crash does; resolves once it is gone. */
  kill(): Promise<void>;
  /** Back again after it ended, at its port, with its settings as it last wrote them and what its disk holds. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
}

export interface RedisProcessOptions {
  /** Lines of its configuration, beyond its port and folder. */
  readonly settings?: readonly string[];
  readonly isSentinel?: boolean;
  /** Its port takes TLS alone. */
  readonly isTls?: boolean;
}

/** Start a redis-server for one test, on loopback, in a folder of its own. */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnFreePort(options);
    } catch (error) {
      // A port is free only until another process takes it.
      if (attempt === 5 || !`${error}`.includes("Address already in use")) throw error;
    }
  }
}

async function startOnFreePort(options: RedisProcessOptions): Promise<RedisProcess> {
  const dir = mkdtempSync(join(tmpdir(), "ballast-redis-"));
  const port = await freePort();
  const config = join(dir, "redis.conf");
  const ports = options.isTls ? ["port 0", `tls-port ${port}`] : [`port ${port}`];
  const own = ["bind 127.0.0.1", ...ports, `dir ${dir}`];
  writeFileSync(config, `${[...own, ...(options.settings ?? [])].join("\n")}\n`);
  const args = [config, ...(options.isSentinel ? ["--sentinel"] : [])];
  let server = await spawnServer(args).catch((error: unknown) => {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  return {
    port,
    dir,
    kill: () => server.kill(),
    async start() {
      server = await spawnServer(args);
    },
    freeze: () => void server.child.kill("SIGSTOP"),
    thaw: () => void server.child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await server.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function spawnServer(args: readonly string[]) {
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = outputOf(child);
  const ended = once(child, "exit").catch(() => {});
  let hasEnded = false;
  ended.then(() => {
    hasEnded = true;
  });
  const isUp = () => /eady to accept connections|Sentinel ID is/.test(output());
  await until(() => hasEnded || isUp(), { what: "the start of redis-server" });
  if (!isUp()) throw new Error(`redis-server did not start: ${output()}`);
  return {
    child,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function outputOf(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-4_000);
    });
  child.once("error", (error) => {
    text += error.message;
  });
  return () => text;
}

/** A cluster's bus takes the port 10,000 above; both lie below those that the system hands out for connections. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (isListening) await new Promise((closed) => server.close(closed));
  return isListening;
}
