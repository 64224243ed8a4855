import { pushStock } from "@ballast/contracts";
import { type Database, forgottenAccounts, type Tx } from "@ballast/database";
import { type Log, type Requests, type Rounds, startRounds } from "@ballast/jobs";
import { askPush } from "./ask-push.ts";

interface RevivingDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly log: Log;
}

const EVERY_MS = 60_000;
/** A push that died would die again: its letter tells people, and an hour later it may have been mended elsewhere. */
const REST_MS = 3_600_000;

/** Ask for the push of accounts that have something to be told and nobody to do it. Any number of processes may. */
export const startReviving = ({ database, requests, log }: RevivingDeps): Rounds =>
  startRounds({
    what: "look for accounts without a push",
    everyMs: EVERY_MS,
    log,
    round: () => revive({ database, requests, log }),
  });

export async function revive({ database, requests, log }: RevivingDeps): Promise<undefined> {
  const job = { queue: pushStock.queue.name, job: pushStock.name };
  for (const { accountId, companyId } of await forgottenAccounts(database.kysely, {
    ...job,
    restMs: REST_MS,
  })) {
    const wish = { accountId, urgent: false, dueAt: null };
    await database.transaction((tx) => askPush(tx, requests, companyId, wish, "reviving"));
    log.warn({ accountId }, "an account had stock to be told and no push; one is asked for");
  }
}
