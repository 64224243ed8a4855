import { readdir, readFile } from "node:fs/promises";

const PAGE_BYTES = 4096;

/**
 * Private memory of a process group, in MiB: what ending it would give back. `undefined` where
 * `/proc` does not tell.
 *
 * Read from `statm`, resident minus shared pages, since `smaps` of a sandboxed renderer is closed
 * even to its own user.
 */
export async function groupMemoryMb(processGroup: number): Promise<number | undefined> {
  const entries = await readdir("/proc").catch(() => []);
  const sizes = await Promise.all(
    entries.filter((name) => /^\d+$/.test(name)).map((pid) => privatePages(pid, processGroup)),
  );
  const pages = sizes.reduce((sum, size) => sum + size, 0);
  return pages === 0 ? undefined : (pages * PAGE_BYTES) / 2 ** 20;
}

async function privatePages(pid: string, processGroup: number): Promise<number> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // After the command in brackets, which may hold anything: state, parent, group.
    const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(group) !== processGroup) return 0;
    const [, resident, shared] = (await readFile(`/proc/${pid}/statm`, "latin1")).split(" ");
    return Number(resident) - Number(shared);
  } catch {
    return 0; // ended between two reads
  }
}
