import { type Database, type KeyRing, resealCredentials } from "@ballast/database";
import type { Log } from "@ballast/jobs";

const EVERY_MS = 3_600_000;

/**
 * Seal credentials anew that a former key sealed, now and every hour. Once it says that none is left, the former
 * key may be taken out of the ring.
 */
export function startResealing(
  database: Pick<Database, "transaction">,
  keys: KeyRing,
  log: Log,
): AsyncDisposable {
  const sweep = async () => {
    try {
      const accounts = await resealCredentials(database, keys);
      if (accounts > 0) log.info({ accounts, keyId: keys.current }, "credentials sealed anew");
    } catch (error) {
      log.warn({ err: error }, "credentials not sealed anew; will retry within the hour");
    }
  };
  let sweeping = sweep();
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep); // never two at once
  }, EVERY_MS).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
