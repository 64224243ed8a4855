import { pushStock } from "@ballast/contracts";
import {
  beginPush,
  type Database,
  endPush,
  findAccount,
  type NextPush,
  type Tx,
} from "@ballast/database";
import { type Handler, handle, type Requests } from "@ballast/jobs";
import { askPush } from "../accounts/ask-push.ts";
import { accountGone, type OpenAccount } from "../accounts/open-accounts.ts";
import { type Drain, drain } from "./drain.ts";

export interface PushStockDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly openAccount: OpenAccount;
  /** Time after which a push lets others have its place. */
  readonly budgetMs: number;
  /** Told what became of each item. */
  readonly onItems?: (marketplace: string, outcome: string, count: number) => void;
}

const NOTHING = { batches: 0, confirmed: 0, failed: 0, rejected: 0 };

/**
 * Tell an account what it does not have yet, in the largest batches that it takes.
 *
 * One at a time for each account, by its slot. Repeatable at any point: what is to be told stands in the
 * listings, and what was confirmed is noted batch by batch.
 */
export function pushStockHandler(deps: PushStockDeps): Handler {
  const { database, requests, openAccount } = deps;

  return handle(pushStock, async ({ payload: { accountId }, signal, log, progress, companyId }) => {
    const account = await findAccount(database.kysely, companyId ?? "all", accountId);
    if (account === undefined) throw accountGone(accountId);
    const comeBack: Drain["comeBack"] = async (tx, goesOn, maxBatch) => {
      const next = await endPush(tx, accountId, { goesOn, maxBatch });
      if (next !== null)
        await askPush(tx, requests, account.companyId, { accountId, ...next }, pushStock.name);
      return next;
    };

    const begun = await database.transaction((tx) => beginPush(tx, accountId));
    if (begun.kind === "gone") throw accountGone(accountId);
    if (begun.kind === "paused") return { ...NOTHING, left: "paused" as const };
    if (begun.kind !== "begun") {
      const next = await database.transaction((tx) => comeBack(tx, false, null));
      return { ...NOTHING, left: leftAtStart(begun.kind, next) };
    }

    const adapter = await openAccount(account);
    const told = await drain({
      ...deps,
      account,
      adapter,
      since: begun.at,
      signal,
      progress,
      comeBack,
    });
    log.info({ accountId, ...told }, "stock told");
    return told;
  });
}

const leftAtStart = (
  kind: "coalescing" | "nothing",
  next: NextPush | null,
): "coalescing" | "nothing" | "failed_items" =>
  kind === "nothing" && next !== null ? "failed_items" : kind;
