import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, join } from "node:path";
import { nameOfPath } from "./checkout.ts";

/** PostgreSQL refuses to run as root, so root hands it to this account; others run it themselves. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The account to drop to, or undefined if we are no root. No account is created for it. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const nobody = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === "nobody");
  if (!nobody) throw new Error("no account `nobody` to run PostgreSQL as: run as an ordinary user");
  return { uid: Number(nobody[2]), gid: Number(nobody[3]) };
}

/** Where root keeps what `nobody` must reach; only root can put anything there. */
const sharedDir = "/var/lib/ballast-local";

/** Folders above may be closed to others (a checkout in root's home), so ask the system itself. */
const canEnter = (dir: string, account: Account): boolean =>
  spawnSync("/bin/sh", ["-c", 'cd "$1"', "sh", dir], { ...account, cwd: "/" }).status === 0;

const canRun = (binary: string, account: Account): boolean =>
  spawnSync(binary, ["--version"], { ...account, cwd: "/" }).status === 0;

/**
 * A folder for data of `account` that stays the same for this wish: `wanted` itself if the account
 * can reach its parent, else one under /var/lib named after it.
 */
export function reachableDir(wanted: string, account: Account | undefined): string {
  const parent = join(wanted, "..");
  mkdirSync(parent, { recursive: true });
  if (!account || canEnter(parent, account)) return wanted;
  mkdirSync(sharedDir, { recursive: true, mode: 0o755 });
  return join(sharedDir, `${basename(wanted)}-${nameOfPath(wanted)}`);
}

/** `dir` itself if the account can run `binary` in it, else a copy which is made once per version. */
export function reachableBinaries(
  dir: string,
  binary: string,
  version: string,
  account: Account | undefined,
): string {
  if (!account || canRun(join(dir, binary), account)) return dir;
  const copy = join(sharedDir, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const part = `${copy}.${process.pid}`;
  mkdirSync(sharedDir, { recursive: true, mode: 0o755 });
  cpSync(dir, part, { recursive: true, verbatimSymlinks: true });
  chmodSync(part, 0o755);
  try {
    renameSync(part, copy);
  } catch {
    rmSync(part, { recursive: true, force: true }); // another start was first
  }
  return copy;
}
