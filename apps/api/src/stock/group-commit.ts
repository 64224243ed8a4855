import {
  type Database,
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

interface Waiting {
  readonly change: StockChange;
  readonly changer: Changer;
  readonly resolve: (set: StockSet) => void;
  readonly reject: (error: unknown) => void;
}

/** More in one transaction would let the first of them wait for long. */
const MOST = 1_000;

/** Commit stock changes in groups, one group of each company at a time. */
export function groupStockChanges(deps: Deps): StockChanges {
  const queues = new Map<string, Waiting[]>();

  async function commitAll(companyId: string, queue: Waiting[]): Promise<void> {
    // Whoever comes within this turn of the event loop is in the first group.
    await new Promise((turn) => setImmediate(turn));
    while (queue.length > 0) await commit(deps, queue.splice(0, MOST));
    queues.delete(companyId);
  }

  return {
    set: (change, changer) =>
      new Promise((resolve, reject) => {
        const waiting = { change, changer, resolve, reject };
        const queue = queues.get(changer.companyId);
        if (queue !== undefined) {
          queue.push(waiting);
          return;
        }
        const fresh = [waiting];
        queues.set(changer.companyId, fresh);
        void commitAll(changer.companyId, fresh);
      }),
  };
}

async function commit(deps: Deps, group: readonly Waiting[]): Promise<void> {
  const last = group.at(-1);
  if (last === undefined) return;
  const { database, requests, dispatcher } = deps;
  try {
    const changes = group.map(({ change }) => change);
    const { stock, pushes } = await database.transaction((tx) =>
      changeStock(tx, requests, changes, last.changer),
    );
    dispatcher.nudge();
    const bySku = new Map(stock.map((one) => [one.sku, one]));
    for (const { change, resolve, reject } of group) {
      const set = bySku.get(change.sku);
      if (set === undefined) reject(new Error("a group came back without one of its articles"));
      else resolve({ stock: set, pushes });
    }
  } catch (error) {
    const unknown = error instanceof UnknownSkuError ? new Set(error.skus) : undefined;
    if (unknown === undefined) for (const { reject } of group) reject(error);
    else {
      const isUnknown = ({ change: { sku } }: Waiting) => unknown.has(sku);
      for (const { change, reject } of group.filter(isUnknown))
        reject(new UnknownSkuError([change.sku]));
      await commit(
        deps,
        group.filter((one) => !isUnknown(one)),
      );
    }
  }
}
