import { pushStock, URGENT_PRIORITY } from "@ballast/contracts";
import type { AccountToPush, Tx } from "@ballast/database";
import type { Requests } from "@ballast/jobs";

/** Ask for the push of an account, in the transaction that gave it something to tell. */
export async function askPush(
  tx: Tx,
  requests: Requests<Tx>,
  companyId: string,
  { accountId, urgent, dueAt }: AccountToPush,
  requestedBy: string,
): Promise<void> {
  await requests.ask(
    tx,
    pushStock,
    { accountId },
    {
      companyId,
      requestedBy,
      ...(urgent ? { priority: URGENT_PRIORITY } : {}),
      ...(dueAt === null ? {} : { dueAt }),
    },
  );
}
