import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

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
 * Where the account keeps its data: `wanted` itself if it can reach it, else a folder under /var/lib,
 * which is noted beside `wanted`. So the data is found again, also when the checkout was moved, and
 * whoever deletes the note begins anew.
 *
 * @param kept false for data of one run, which needs no note
 */
export function reachableDir(wanted: string, account: Account | undefined, kept: boolean): string {
  const parent = dirname(wanted);
  mkdirSync(parent, { recursive: true });
  if (!account || canEnter(parent, account)) return wanted;
  const note = `${wanted}.elsewhere`;
  if (kept && existsSync(note)) return readFileSync(note, "utf8").trim();
  mkdirSync(sharedDir, { recursive: true, mode: 0o755 });
  const dir = join(sharedDir, `${basename(wanted)}-${randomBytes(6).toString("hex")}`);
  if (kept) writeFileSync(note, `${dir}\n`);
  return dir;
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
