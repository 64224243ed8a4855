import type { Database } from "../database.ts";
import { judgeFailed } from "../dead-letters/judge-failed.ts";
import { isRetryable } from "../pg-errors.ts";
import { ask, askAll, release, shareNoSlot } from "./ask.ts";
import { cancelled, ended, progressed, touch } from "./attempts.ts";
import { crashed } from "./crashes.ts";
import { claim, handedOver, nextDueInMs, takeBack, unclaim } from "./dispatch.ts";
import { orderTold, queueOrders } from "./pauses.ts";
import type { RunStore } from "./port.ts";
import { copyEnd, expire, readMark, reclaim, silent, writeMark } from "./reconcile.ts";
import { adopt, start } from "./start.ts";
import { DISPATCH_CHANNEL } from "./wake.ts";

const MAX_RETRIES = 3;

/** The job runtime's store on this database. It owns nothing: dispose the database itself. */
export function openRunStore(database: Database): RunStore {
  const db = database.kysely;
  return {
    ask,
    commitAll: async (wishes, takes) => {
      // A statement is a transaction too, without the round trips of BEGIN and COMMIT.
      const recorded = shareNoSlot(wishes)
        ? await persistently(() => askAll(db, wishes, takes))
        : await database.transaction((tx) => askAll(tx, wishes, takes));
      return {
        asked: recorded.map(({ asked }) => asked),
        taken: recorded.flatMap(({ taken }) => taken ?? []),
      };
    },
    release,
    claim: (limit, leaseMs, owed) => persistently(() => claim(db, limit, leaseMs, owed)),
    handedOver: (runs) => persistently(() => handedOver(db, runs)),
    unclaim: (runIds) => persistently(() => unclaim(db, runIds)),
    takeBack: (runIds) => persistently(() => takeBack(db, runIds)),
    nextDueInMs: () => nextDueInMs(db),
    start: (starts) => persistently(() => start(db, starts)),
    adopt: (adoption) => adopt(database, adoption),
    ended: (attempts) => persistently(() => ended(db, attempts)),
    crashed: (crashes) => persistently(() => crashed(db, crashes)),
    progressed: (updates) => persistently(() => progressed(db, updates)),
    cancelled: (runIds) => cancelled(db, runIds),
    touch: (runIds) => persistently(() => touch(db, runIds)),
    silent: (silentMs, limit) => silent(db, silentMs, limit),
    reclaim: (runs) => reclaim(db, runs),
    copyEnd: (end) => persistently(() => copyEnd(db, end)),
    judgeFailed: (queue, engineJobIds) => judgeFailed(db, queue, engineJobIds),
    expire: (limit) => persistently(() => expire(db, limit)),
    queueOrders: () => queueOrders(db),
    orderTold: (order) => orderTold(db, order),
    readMark: (name) => readMark(db, name),
    writeMark: (name, value) => writeMark(db, name, value),
    onDispatch: (wake) => database.listen(DISPATCH_CHANNEL, () => wake()),
  };
}

/** Each of these is one repeatable statement, so a deadlock's victim may simply go again. */
async function persistently<T>(statement: () => Promise<T>): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await statement();
    } catch (error) {
      if (!isRetryable(error) || retries >= MAX_RETRIES) throw error;
    }
  }
}
