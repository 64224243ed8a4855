import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dataDirFrom } from "./checkout.ts";
import { endChildrenAtOnce, endLeftovers } from "./leftovers.ts";
import { listenForStop } from "./stop-signals.ts";

export interface Scratch extends Disposable {
  /** Of this run alone; gone with it. */
  readonly dataDir: string;
  /** Aborts with the first wish to stop; the second ends what was started, and this process, at once. */
  readonly stopping: AbortSignal;
}

/** A place for the servers of one run. What an earlier one left behind is ended first, and told. */
export async function openScratch(name: string): Promise<Scratch> {
  const home = dataDirFrom(process.env);
  const stopping = listenForStop(() => {
    endChildrenAtOnce(dataDir);
    process.exit(1);
  });
  for (const ended of await endLeftovers(home)) console.error(`ended a leftover: ${ended}`);
  mkdirSync(home, { recursive: true });
  const dataDir = mkdtempSync(join(home, `${name}-`));
  return {
    dataDir,
    stopping,
    [Symbol.dispose]: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
