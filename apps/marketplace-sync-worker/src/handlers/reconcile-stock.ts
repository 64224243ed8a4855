import { reconcileStock } from "@ballast/contracts";
import {
  comparedListings,
  correctDrift,
  type Database,
  type DriftItem,
  databaseNow,
  findAccount,
  recordDrift,
  type Tx,
  threeWayDiff,
} from "@ballast/database";
import { type Handler, handle, type Requests } from "@ballast/jobs";
import { askPush } from "../accounts/ask-push.ts";
import { accountGone, type OpenAccount } from "../accounts/open-accounts.ts";
import { readShelf } from "./read-shelf.ts";

export interface ReconcileStockDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly openAccount: OpenAccount;
  /** Told of each item that does not agree. */
  readonly onDrift?: (marketplace: string, item: DriftItem) => void;
}

const PAUSED = {
  reportId: null,
  compared: 0,
  drifted: 0,
  corrected: 0,
  givenUp: 0,
  missing: 0,
};

/** Read what they hold, compare it with ours and with what they last confirmed, mend what drifted, report. */
export const reconcileStockHandler = ({
  database,
  requests,
  openAccount,
  onDrift,
}: ReconcileStockDeps): Handler =>
  handle(reconcileStock, async ({ payload: { accountId }, signal, log, progress, companyId }) => {
    const account = await findAccount(database.kysely, companyId ?? "all", accountId);
    if (account === undefined) throw accountGone(accountId);
    if (account.paused) return PAUSED;
    const adapter = await openAccount(account);

    const startedAt = await databaseNow(database.kysely);
    const held = await readShelf(adapter, { signal, onPage: (listed) => progress({ listed }) });
    const compared = await comparedListings(database.kysely, accountId, startedAt);
    const diff = threeWayDiff(compared, held, {
      winner: account.driftWinner,
      maxCorrections: account.maxCorrections,
      ...(adapter.idThere === undefined ? {} : { idThere: adapter.idThere }),
    });

    const report = await database.transaction(async (tx) => {
      const toPush = await correctDrift(tx, account, diff, compared);
      for (const one of toPush)
        await askPush(tx, requests, account.companyId, one, reconcileStock.name);
      const found = { startedAt, listed: held.size, compared: compared.length };
      return recordDrift(tx, account, found, diff);
    });
    for (const item of diff.items) onDrift?.(account.kind, item);
    const { id: reportId, drifted, corrected, givenUp, missing } = report;
    const told = { reportId, compared: compared.length, drifted, corrected, givenUp, missing };
    log[givenUp > 0 ? "warn" : "info"]({ accountId, ...told }, "stock reconciled");
    return told;
  });
