import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type OwnProcess, startOwnProcess } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { postgresBinaries } from "./postgres-binaries.ts";
import { endStrayServer, ensureCluster, isReady, postgresSpawn } from "./postgres-cluster.ts";
import { reachableBinaries, reachableDir, unprivilegedAccount } from "./unprivileged.ts";

export interface PrivatePostgres extends AsyncDisposable {
  /** Of the superuser, in the database `postgres`. */
  readonly url: string;
  readonly pid: number;
  readonly process: OwnProcess;
  /** Where its data lies. */
  readonly clusterDir: string;
}

interface PostgresOptions {
  /** Where this checkout keeps its data and its records of processes. */
  readonly dataDir: string;
  /** Folder of the cluster within `dataDir`. */
  readonly name: string;
  /** `false` is for tests alone: no fsync, and the cluster goes with the server. */
  readonly durable: boolean;
  /** Where an earlier one was that is started again; a free one if absent. */
  readonly port?: number;
}

/** A fixed port comes free when whoever held it is gone, which takes a slow machine some seconds. */
const portTries = 10;
const portPauseMs = 1_000;
const startTimeoutMs = 60_000; // recovery after a crash takes longer than a clean start
const notDurable = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/**
 * Start a PostgreSQL of our own on loopback, from the binaries that npm installed.
 *
 * Root drops to `nobody`, because PostgreSQL refuses to run as root. The data is kept between runs.
 */
export async function startPostgres(options: PostgresOptions): Promise<PrivatePostgres> {
  const account = unprivilegedAccount();
  const { dir, version } = postgresBinaries();
  const binDir = join(reachableBinaries(dir, "bin/postgres", version, account), "bin");
  const clusterDir = reachableDir(join(options.dataDir, options.name), account, options.durable);
  await endStrayServer(clusterDir);
  const password = ensureCluster(binDir, clusterDir, account);

  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await freePort());
    const server = await startOwnProcess({
      what: "PostgreSQL",
      dataDir: options.dataDir,
      command: join(binDir, "postgres"),
      args: ["-D", clusterDir, ...settings(port, options.durable)],
      spawn: postgresSpawn(clusterDir, account),
      // SIGINT: a fast shutdown, which does not wait for clients that were killed or hang.
      leftover: { signal: "SIGINT", last: true, ...(!options.durable && { folder: clusterDir }) },
    });
    if (await becameReady(server, clusterDir)) {
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
      const close = async () => {
        await stop(server);
        if (!options.durable) rmSync(clusterDir, { recursive: true, force: true });
      };
      return { url, pid: server.pid, process: server, clusterDir, [Symbol.asyncDispose]: close };
    }
    await stop(server);
    const lostThePort = server.output().includes("could not bind");
    if (!lostThePort || tries === (options.port === undefined ? 3 : portTries)) {
      throw new Error(
        `PostgreSQL did not start on ${clusterDir}: ${server.output() || "no output"}`,
      );
    }
    if (options.port !== undefined) await sleep(portPauseMs);
  }
}

function settings(port: number, durable: boolean): string[] {
  const all = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "", // socket locks in a shared temp folder collide between checkouts
    max_connections: 300, // BullMQ: a pool and a LISTEN connection per queue and worker
    shared_buffers: "128MB",
    ...(durable ? {} : notDurable),
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function becameReady(server: OwnProcess, clusterDir: string): Promise<boolean> {
  const deadline = performance.now() + startTimeoutMs;
  while (!isReady(clusterDir, server.pid)) {
    if (server.hasEnded() || performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** SIGTERM lets clients leave first; SIGINT at once would send them error 57P01. */
const stop = (server: OwnProcess): Promise<void> =>
  server.end([
    ["SIGTERM", 1_000],
    ["SIGINT", 20_000],
    ["SIGQUIT", 5_000],
  ]);
