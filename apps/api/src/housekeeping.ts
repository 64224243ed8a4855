import { type Database, purgeIdempotencyKeys } from "@ballast/database";
import type { Log } from "@ballast/jobs";

const EVERY_MS = 3_600_000;

/** Remove what has outlived its time, now and every hour. Any number of replicas may. */
export function startHousekeeping(database: Database, log: Log): Disposable {
  const sweep = () =>
    purgeIdempotencyKeys(database.kysely).then(
      (keys) => keys > 0 && log.info({ keys }, "old idempotency keys removed"),
      (error: unknown) => log.warn({ err: error }, "old idempotency keys are still there"),
    );
  void sweep();
  const timer = setInterval(sweep, EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
