import {
  type Database,
  groupCommit,
  type Stock,
  type StockChange,
  type Tx,
  UnknownSkuError,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { type AskedPush, type Changer, changeStock } from "./change-stock.ts";

export interface StockChanges {
  /**
   * Set the stock of one article. Resolves once it is committed, together with all changes of its company that
   * came while the commit before was under way; of two of one article the later wins.
   *
   * @throws {UnknownSkuError} for this article alone
   */
  set(change: StockChange, changer: Changer): Promise<StockSet>;
}

export interface StockSet {
  /** As it was committed: a later change of the same group may have won. */
  readonly stock: Stock;
  readonly pushes: readonly AskedPush[];
}

interface Deps {
  readonly database: Pick<Database, "transaction">;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

interface Wanted {
  readonly change: StockChange;
  readonly changer: Changer;
}

/** Commit stock changes in groups, one group of each company at a time. */
export function groupStockChanges(deps: Deps): StockChanges {
  const set = groupCommit<Wanted, StockSet | UnknownSkuError>({
    keyOf: ({ changer }) => changer.companyId,
    commit: (group) => commit(deps, group),
  });
  return {
    async set(change, changer) {
      const outcome = await set({ change, changer });
      if (outcome instanceof UnknownSkuError) throw outcome;
      return outcome;
    },
  };
}

async function commit(
  deps: Deps,
  group: readonly Wanted[],
  unknown: ReadonlySet<string> = new Set(),
): Promise<Array<StockSet | UnknownSkuError>> {
  const { database, requests, dispatcher } = deps;
  const known = group.filter(({ change }) => !unknown.has(change.sku));
  const last = known.at(-1);
  if (last === undefined) return group.map(({ change }) => new UnknownSkuError([change.sku]));
  const changes = known.map(({ change }) => change);
  try {
    const { stock, pushes } = await database.transaction((tx) =>
      changeStock(tx, requests, changes, last.changer),
    );
    dispatcher.nudge();
    const bySku = new Map(stock.map((one) => [one.sku, one]));
    return group.map(({ change: { sku } }) => {
      const set = bySku.get(sku);
      if (set !== undefined) return { stock: set, pushes };
      if (unknown.has(sku)) return new UnknownSkuError([sku]);
      throw new Error("a group came back without one of its articles");
    });
  } catch (error) {
    if (!(error instanceof UnknownSkuError)) throw error;
    return await commit(deps, group, new Set([...unknown, ...error.skus]));
  }
}
