import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identityOf, isAlive, type ProcessIdentity } from "./process-identity.ts";

/**
 * Every process that we start is written down, so that the next start can end what a killed
 * parent left behind. One file per process: writers never meet, and a half-written file is never read.
 */
interface ProcessRecord extends ProcessIdentity, EndingHints {
  readonly what: string;
  /** Who started it and will end it; a record without a living owner is a leftover. */
  readonly owner: ProcessIdentity;
}

/** How to end a process whose owner was killed. */
export interface EndingHints {
  /** Asks it to end; SIGTERM unless given. */
  readonly signal?: NodeJS.Signals;
  /** Others use it, so it ends after them. */
  readonly last?: boolean;
  /** A folder that is of no use without the process. */
  readonly folder?: string;
}

const recordsDir = (dataDir: string) => join(dataDir, "processes");

/**
 * Write down a process that this one has just started.
 *
 * @returns forgets it again; call it once the process has ended
 */
export function recordProcess(
  dataDir: string,
  pid: number,
  what: string,
  hints: EndingHints = {},
): () => void {
  const [process_, owner] = [identityOf(pid), identityOf(process.pid)];
  if (!process_ || !owner) return () => {}; // it is gone already: nothing to leave behind
  const record: ProcessRecord = { ...process_, what, owner, ...hints };
  mkdirSync(recordsDir(dataDir), { recursive: true });
  const file = join(recordsDir(dataDir), `${pid}.json`);
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, file);
  return () => rmSync(file, { force: true });
}

function readRecords(dataDir: string): Array<{ file: string; record: ProcessRecord }> {
  let names: string[];
  try {
    names = readdirSync(recordsDir(dataDir)).filter((name) => name.endsWith(".json"));
  } catch {
    return []; // never started here
  }
  return names.flatMap((name) => {
    const file = join(recordsDir(dataDir), name);
    try {
      return [{ file, record: JSON.parse(readFileSync(file, "utf8")) as ProcessRecord }];
    } catch {
      return []; // forgotten by its owner this moment
    }
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // gone meanwhile
  }
}

/** Ask a process to end; SIGKILL for its whole group if it is still there after `graceMs`. */
export async function endProcess(
  identity: ProcessIdentity,
  graceMs: number,
  asking: NodeJS.Signals = "SIGTERM",
): Promise<void> {
  if (!isAlive(identity)) return;
  signal(identity.pid, asking);
  const deadline = performance.now() + graceMs;
  while (isAlive(identity)) {
    if (performance.now() > deadline) {
      signal(-identity.pid, "SIGKILL"); // our children lead their own groups
      signal(identity.pid, "SIGKILL");
    }
    if (performance.now() > deadline + 5_000) {
      throw new Error(`process ${identity.pid} does not end, even by SIGKILL`);
    }
    await sleep(20);
  }
}

/** What a stack is recorded as; `npm start` ends an earlier one of the same data folder first. */
export const stack = "stack";

/**
 * End what earlier runs of this checkout left behind: recorded processes whose owner is gone.
 * A process id that was handed to somebody else meanwhile is left alone.
 *
 * @param replaceStack also end a stack that is up, which then ends its own children in order
 * @returns what was ended, for people
 */
export async function endLeftovers(dataDir: string, replaceStack = false): Promise<string[]> {
  const ended: string[] = [];
  const end = async (file: string, record: ProcessRecord, graceMs: number) => {
    if (isAlive(record)) {
      ended.push(`${record.what} (process ${record.pid})`);
      await endProcess(record, graceMs, record.signal);
    }
    if (record.folder) rmSync(record.folder, { recursive: true, force: true });
    rmSync(file, { force: true });
  };

  if (replaceStack) {
    const stacks = readRecords(dataDir).filter(({ record }) => record.what === stack);
    for (const { file, record } of stacks) {
      if (record.pid !== process.pid) await end(file, record, 30_000);
    }
  }
  const orphans = readRecords(dataDir).filter(({ record }) => !isAlive(record.owner));
  for (const last of [false, true]) {
    const these = orphans.filter(({ record }) => (record.last ?? false) === last);
    await Promise.all(these.map(({ file, record }) => end(file, record, 10_000)));
  }
  return ended;
}

/** SIGKILL what this process started, without waiting; for somebody who lost patience. */
export function endChildrenAtOnce(dataDir: string): void {
  for (const { record } of readRecords(dataDir)) {
    const ours = record.owner.pid === process.pid && isAlive(record.owner);
    if (ours && record.pid !== process.pid && isAlive(record)) signal(-record.pid, "SIGKILL");
  }
}
