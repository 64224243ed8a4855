import { queueDefinitions } from "@ballast/contracts";
import { type Database, lettersToClear, markCleared } from "@ballast/database";
import { type Engine, type Log, type Rounds, startRounds } from "@ballast/jobs";

export interface ClearingOptions {
  readonly database: Database;
  readonly engine: Pick<Engine, "removeFailed">;
  readonly log: Log;
  readonly everyMs?: number;
}

const EVERY_MS = 5_000;
const BATCH = 100;

/** Take the failed jobs of settled letters out of the engine; while it is away, they wait. */
export const startClearing = (options: ClearingOptions): Rounds =>
  startRounds({
    what: "clear settled letters out of the engine",
    everyMs: options.everyMs ?? EVERY_MS,
    log: options.log,
    async round(signal) {
      for (const { name } of queueDefinitions) await clearQueue(name, options, signal);
    },
  });

/** @returns how many letters are cleared now */
export async function clearQueue(
  queue: string,
  { database, engine }: Pick<ClearingOptions, "database" | "engine">,
  signal: AbortSignal,
): Promise<number> {
  let cleared = 0;
  let last: { settledAt: Date; runId: string } | undefined;
  while (!signal.aborted) {
    const batch = await lettersToClear(database.kysely, queue, BATCH, last);
    if (batch.length === 0) break;
    last = batch.at(-1);
    const gone = new Set(
      await engine.removeFailed(
        queue,
        batch.map(({ engineJobId }) => engineJobId),
      ),
    );
    const done = batch.filter(({ engineJobId }) => gone.has(engineJobId));
    await markCleared(
      database.kysely,
      done.map(({ runId }) => runId),
    );
    cleared += done.length;
  }
  return cleared;
}
