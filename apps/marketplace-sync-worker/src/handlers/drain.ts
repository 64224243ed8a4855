import type { pushStock, ResultOf } from "@ballast/contracts";
import {
  type Database,
  type ListingToPush,
  type MarketplaceAccount,
  type NextPush,
  nextBatch,
  type PushOutcome,
  settleBatch,
  type Tx,
} from "@ballast/database";
import { TransientError } from "@ballast/jobs";
import type { ItemOutcome, MarketplaceAdapter } from "../adapters/adapter.ts";
import { parkRejected } from "./park-rejected.ts";

export interface Drain {
  readonly database: Database;
  readonly account: MarketplaceAccount;
  readonly adapter: MarketplaceAdapter;
  /** When this push began. */
  readonly since: Date;
  readonly budgetMs: number;
  readonly signal: AbortSignal;
  readonly progress: (value: unknown) => void;
  /** End this push inside a transaction, and ask for the next one in it if anything is left. */
  readonly comeBack: (tx: Tx, goesOn: boolean, maxBatch: number | null) => Promise<NextPush | null>;
  readonly onItems?: (marketplace: string, outcome: string, count: number) => void;
}

/**
 * Tell batch after batch, until one is not full: what comes later waits for the account's window, so that
 * changes of a moment share a call. Ends with its time budget too, and then goes on in the next run.
 */
export async function drain(work: Drain): Promise<ResultOf<typeof pushStock>> {
  const { database, account, adapter, since, signal, progress, comeBack, onItems } = work;
  const { maxBatch } = adapter;
  const stopAt = performance.now() + work.budgetMs;
  const told = { batches: 0, confirmed: 0, failed: 0, rejected: 0 };

  for (;;) {
    const batch = await nextBatch(database.kysely, account.id, since, maxBatch);
    const outcomes = batch.length === 0 ? [] : await push(adapter, batch, signal);
    const count = (outcome: PushOutcome["outcome"]) =>
      outcomes.filter((one) => one.outcome === outcome).length;
    const untried = count("untried");
    const isMore = batch.length === maxBatch || untried > 0;
    const isOver = !isMore || performance.now() >= stopAt;

    const next = await database.transaction(async (tx) => {
      await settleBatch(tx, account.id, outcomes);
      await parkRejected(tx, account, outcomes);
      return isOver ? await comeBack(tx, isMore, maxBatch) : null;
    });
    if (batch.length > 0) told.batches++;
    for (const outcome of ["confirmed", "failed", "rejected"] as const) {
      told[outcome] += count(outcome);
      if (count(outcome) > 0) onItems?.(account.kind, outcome, count(outcome));
    }
    progress(told);
    if (isOver) return { ...told, left: leftBy(isMore, next) };
    // The adapter promises the error next time; without one this would go round for the whole budget.
    if (untried === batch.length)
      throw new TransientError(
        "nothing_asked",
        `${account.kind} was asked about none of ${untried}`,
      );
  }
}

const leftBy = (isMore: boolean, next: NextPush | null) => {
  if (next === null) return "nothing";
  if (isMore) return "time_budget";
  return next.onlyFailed ? "failed_items" : "coalescing";
};

async function push(
  adapter: MarketplaceAdapter,
  batch: readonly ListingToPush[],
  signal: AbortSignal,
): Promise<PushOutcome[]> {
  const outcomes = await adapter.push(
    batch.map(({ sku, externalId, quantity, confirmed }) => ({
      sku,
      externalId,
      quantity,
      ...(confirmed === null ? {} : { confirmed }),
    })),
    signal,
  );
  return batch.map((listing, index) => outcomeOf(listing, outcomes[index]));
}

function outcomeOf(
  { sku, externalId, version }: ListingToPush,
  told: ItemOutcome | undefined,
): PushOutcome {
  const listing = { sku, externalId, version };
  if (told === undefined || (told.outcome === "failed" && told.code === "not_sent"))
    return { ...listing, outcome: "untried" };
  return { ...listing, ...told };
}
