import { readdir, readFile } from "node:fs/promises";

const PAGE_BYTES = 4096;

/** One process of a browser. */
export interface BrowserProcess {
  readonly pid: number;
  /** In MiB: what ending it would give back. */
  readonly privateMb: number;
  /** It holds pages. Nobody can tell of one that is dying. */
  readonly isRenderer: boolean;
}

/**
 * The processes of a process group; none where `/proc` does not tell.
 *
 * Read from `statm`, resident minus shared pages, since `smaps` of a sandboxed renderer is closed
 * even to its own user.
 */
export async function groupProcesses(processGroup: number): Promise<BrowserProcess[]> {
  const entries = await readdir("/proc").catch(() => []);
  const found = await Promise.all(
    entries.filter((name) => /^\d+$/.test(name)).map((pid) => processOf(pid, processGroup)),
  );
  return found.filter((process) => process !== undefined);
}

/** Private memory of processes, in MiB. */
export const memoryMbOf = (processes: readonly BrowserProcess[]): number =>
  processes.reduce((sum, { privateMb }) => sum + privateMb, 0);

/** The same of a whole process group; `undefined` where `/proc` does not tell. */
export async function groupMemoryMb(processGroup: number): Promise<number | undefined> {
  return memoryMbOf(await groupProcesses(processGroup)) || undefined;
}

/** Of these processes the renderer that holds most, or `undefined` if there is none. */
export const fattestRenderer = (processes: readonly BrowserProcess[]): BrowserProcess | undefined =>
  processes.filter(({ isRenderer }) => isRenderer).sort((a, b) => b.privateMb - a.privateMb)[0];

async function processOf(pid: string, processGroup: number): Promise<BrowserProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // After the command in brackets, which may hold anything: state, parent, group.
    const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(group) !== processGroup) return undefined;
    const command = await readFile(`/proc/${pid}/cmdline`, "latin1");
    const [, resident, shared] = (await readFile(`/proc/${pid}/statm`, "latin1")).split(" ");
    const pages = Number(resident) - Number(shared);
    const privateMb = (pages * PAGE_BYTES) / 2 ** 20;
    return { pid: Number(pid), privateMb, isRenderer: command.includes("--type=renderer") };
  } catch {
    return undefined; // ended between two reads
  }
}
