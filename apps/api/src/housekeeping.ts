import {
  type Database,
  forgetInvoiceRuns,
  type HistoryPolicy,
  keepHistory,
  purgeIdempotencyKeys,
} from "@ballast/database";
import type { Log } from "@ballast/jobs";

const EVERY_MS = 3_600_000;

/** Remove what has outlived its time, now and every hour. Any number of replicas may. */
export function startHousekeeping(
  database: Database,
  history: HistoryPolicy,
  log: Log,
): AsyncDisposable {
  const closing = new AbortController();
  const forgetKeys = async () => {
    const keys = await purgeIdempotencyKeys(database.kysely, closing.signal);
    if (keys > 0) log.info({ keys }, "old idempotency keys removed");
  };
  const moveRuns = async () => {
    const { movedRuns, droppedPartitions } = await keepHistory(database, history, closing.signal);
    if (movedRuns > 0) log.info({ movedRuns }, "finished runs moved to history");
    if (droppedPartitions.length > 0) log.info({ droppedPartitions }, "old history dropped");
  };
  const forgetRuns = async () => {
    const runs = await forgetInvoiceRuns(database.kysely, history.keepMonths);
    if (runs > 0) log.info({ runs }, "old invoice runs removed");
  };
  const sweep = async () => {
    await forgetKeys().catch((error: unknown) =>
      log.warn({ err: error }, "old idempotency keys are still there"),
    );
    await forgetRuns().catch((error: unknown) =>
      log.warn({ err: error }, "old invoice runs are still there"),
    );
    if (closing.signal.aborted) return;
    await moveRuns().catch((error: unknown) =>
      log.warn({ err: error }, "history not kept; will retry within the hour"),
    );
  };
  let sweeping = sweep();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep); // never two at once
  }, EVERY_MS).unref();
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearInterval(timer);
      await sweeping;
    },
  };
}
