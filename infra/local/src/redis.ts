import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type OwnProcess, startOwnProcess } from "./child-process.ts";
import { freePort } from "./free-port.ts";

export interface PrivateRedis extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly process: OwnProcess;
}

interface RedisOptions {
  /** Path of redis-server or valkey-server. */
  readonly binary: string;
  /** Where this checkout keeps its data and its records of processes. */
  readonly dataDir: string;
  /** Folder of this server within `dataDir`. */
  readonly name: string;
  /** Keep an append-only file; `false` is for tests alone, and the folder goes with the server. */
  readonly durable: boolean;
  /** Where an earlier one was that is started again; a free port and a new password if absent. */
  readonly at?: { readonly port: number; readonly password: string };
  /** Further lines of its configuration, e.g. `maxmemory 32mb`. */
  readonly settings?: readonly string[];
}

const startTimeoutMs = 30_000;

/** Start a Redis or Valkey of our own on loopback, with a password that only we know. */
export async function startRedis(options: RedisOptions): Promise<PrivateRedis> {
  const dir = join(options.dataDir, options.name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const password = options.at?.password ?? randomBytes(16).toString("hex");

  for (let tries = 1; ; tries++) {
    const port = options.at?.port ?? (await freePort());
    const server = await startOwnProcess({
      what: "Redis",
      dataDir: options.dataDir,
      command: options.binary,
      args: ["-"], // settings come by stdin: arguments, with the password, could be read by anybody
      input: [
        ...settings({ port, password, dir, durable: options.durable }),
        ...(options.settings ?? []),
        "",
      ].join("\n"),
      leftover: { last: true, ...(!options.durable && { folder: dir }) },
    });
    if (await becameReady(server, port, password)) {
      const close = async () => {
        await stop(server);
        if (!options.durable) rmSync(dir, { recursive: true, force: true });
      };
      const url = `redis://:${password}@127.0.0.1:${port}`;
      return { url, pid: server.pid, process: server, [Symbol.asyncDispose]: close };
    }
    await stop(server);
    const lostThePort = server.output().includes("Address already in use");
    if (!lostThePort || tries === 3) throw new Error(`Redis did not start: ${server.output()}`);
  }
}

function settings(o: { port: number; password: string; dir: string; durable: boolean }): string[] {
  return [
    "bind 127.0.0.1",
    `port ${o.port}`,
    `requirepass ${o.password}`,
    `dir "${o.dir}"`,
    `appendonly ${o.durable ? "yes" : "no"}`,
    'save ""', // the append-only file is the record; snapshots beside it would only cost
    "maxmemory-policy noeviction", // a queue that loses keys loses jobs
  ];
}

/** One PING with the password; false also while the append-only file is still being read. */
const answers = (port: number, password: string): Promise<boolean> =>
  new Promise((resolve) => {
    let reply = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const done = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.on("error", () => done(false)).on("close", () => done(false));
    socket.on("data", (chunk) => {
      reply += chunk;
      if (reply.includes("PONG")) done(true);
      else if (reply.includes("-")) done(false);
    });
  });

async function becameReady(server: OwnProcess, port: number, password: string): Promise<boolean> {
  const deadline = performance.now() + startTimeoutMs;
  while (!server.hasEnded() && performance.now() < deadline) {
    if (await answers(port, password)) return !server.hasEnded();
    await sleep(20);
  }
  return false;
}

const stop = (server: OwnProcess): Promise<void> => server.end([["SIGTERM", 10_000]]);
