import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { endProcess } from "./leftovers.ts";
import { identityOf } from "./process-identity.ts";
import type { Account } from "./unprivileged.ts";

const passwordFile = (clusterDir: string) => join(clusterDir, "local-password");

/** What any process started for a cluster gets: its account and an environment without our secrets. */
export const postgresSpawn = (clusterDir: string, account: Account | undefined) => ({
  ...account,
  cwd: clusterDir,
  env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
});

/**
 * Create the cluster if it is not there yet. It is made beside its place and moved there when it is
 * whole, so a killed creation leaves nothing that looks like a cluster.
 *
 * @returns the password of its superuser `postgres`
 */
export function ensureCluster(
  binDir: string,
  clusterDir: string,
  account: Account | undefined,
): string {
  if (!existsSync(clusterDir)) createCluster(binDir, clusterDir, account);
  try {
    return readFileSync(passwordFile(clusterDir), "utf8");
  } catch (cause) {
    throw new Error(
      `${clusterDir} is no PostgreSQL folder of ours, or belongs to another account: move it away`,
      { cause },
    );
  }
}

function createCluster(binDir: string, clusterDir: string, account: Account | undefined): void {
  const part = `${clusterDir}.${randomBytes(6).toString("hex")}`;
  const handover = `${part}.password`;
  const password = randomBytes(16).toString("hex");
  try {
    mkdirSync(part, { mode: 0o700 });
    writeFileSync(handover, password, { mode: 0o600 });
    if (account) for (const path of [part, handover]) chownSync(path, account.uid, account.gid);
    const made = spawnSync(
      join(binDir, "initdb"),
      [
        ...["-D", part, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", handover],
        ...["-E", "UTF8", "--locale=C"],
      ],
      { ...postgresSpawn(part, account), encoding: "utf8" },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
    writeFileSync(passwordFile(part), password, { mode: 0o600 });
    renameSync(part, clusterDir);
  } finally {
    rmSync(part, { recursive: true, force: true });
    rmSync(handover, { force: true });
  }
}

const readPidFile = (clusterDir: string): string[] => {
  try {
    return readFileSync(join(clusterDir, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return [];
  }
};

/** Whether this server takes connections. An open port comes too early: it still answers "starting up". */
export function isReady(clusterDir: string, pid: number): boolean {
  const lines = readPidFile(clusterDir);
  return lines[0] === String(pid) && lines[7]?.trim() === "ready";
}

/** End a server that still runs on this very cluster although nobody wrote it down. */
export async function endStrayServer(clusterDir: string): Promise<void> {
  const [pid, dir] = readPidFile(clusterDir);
  const stray = identityOf(Number(pid));
  if (stray && dir === clusterDir && commandOf(stray.pid).includes(clusterDir)) {
    await endProcess(stray, 5_000, "SIGINT");
  }
  // A killed server may stay a zombie for as long as nobody collects it, and PostgreSQL takes that
  // for a running one. What it shared in memory still keeps a second server out while it is in use.
  if (pid && !identityOf(Number(pid))) rmSync(join(clusterDir, "postmaster.pid"), { force: true });
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // gone, or no /proc: PostgreSQL itself refuses a second server on one cluster
  }
}
