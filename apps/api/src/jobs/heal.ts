import { type Database, type JobRequestView, openRunStore } from "@ballast/database";
import { type Engine, healEnd } from "@ballast/jobs";

/** Whoever reads a job waits no longer than this for an engine that does not answer. */
const DEADLINE_MS = 300;

/**
 * Write down the end of a job that the engine knows and the journal does not, since its worker was killed
 * between the two. For 300 ms at most; never throws.
 *
 * @returns whether the job is to be read again
 */
export async function heal(
  { run }: JobRequestView,
  { database, engine }: { readonly database: Database; readonly engine: Pick<Engine, "find"> },
): Promise<boolean> {
  if (run.handedAt === null || run.finishedAt !== null) return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), DEADLINE_MS);
  });
  const healing = healEnd(run, { engine, store: openRunStore(database) }).catch(() => false);
  return await Promise.race([healing, late]).finally(() => clearTimeout(timer));
}
