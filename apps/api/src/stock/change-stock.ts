import { pushStock, URGENT_PRIORITY } from "@ballast/contracts";
import {
  type AccountToPush,
  type Stock,
  type StockChange,
  setStock,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";

/** Who changes stock. */
export interface Changer {
  readonly companyId: string;
  readonly requestedBy: string;
  readonly traceparent: string | null;
}

/** The push that tells an account. */
export interface AskedPush {
  readonly accountId: string;
  readonly requestId: string;
}

/**
 * Set the stock of one company's articles and ask for the push of each account that has something new to tell, in
 * one transaction.
 *
 * @throws {UnknownSkuError}
 */
export async function changeStock(
  tx: Tx,
  requests: Requests<Tx>,
  changes: readonly StockChange[],
  changer: Changer,
): Promise<{ readonly stock: readonly Stock[]; readonly pushes: readonly AskedPush[] }> {
  const { stock, accounts } = await setStock(tx, changer.companyId, changes);
  const pushes: AskedPush[] = [];
  for (const account of accounts) {
    const { requestId } = await askPush(tx, requests, account, changer);
    pushes.push({ accountId: account.accountId, requestId });
  }
  return { stock, pushes };
}

export const askPush = (
  tx: Tx,
  requests: Requests<Tx>,
  { accountId, urgent, dueAt }: AccountToPush,
  { companyId, requestedBy, traceparent }: Changer,
): ReturnType<Requests<Tx>["ask"]> =>
  requests.ask(
    tx,
    pushStock,
    { accountId },
    {
      companyId,
      requestedBy,
      traceparent,
      ...(urgent ? { priority: URGENT_PRIORITY } : {}),
      ...(dueAt === null ? {} : { dueAt }),
    },
  );
