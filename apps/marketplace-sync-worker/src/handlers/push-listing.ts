import { pushListing } from "@ballast/contracts";
import {
  closeCorrectedLetters,
  type Database,
  findAccount,
  type Tx,
  unparkListing,
} from "@ballast/database";
import { type Handler, handle, type Requests } from "@ballast/jobs";
import { askPush } from "../accounts/ask-push.ts";
import { accountGone } from "../accounts/open-accounts.ts";

/** Take a listing out of the park and ask for the push that tells it. What is not parked stays as it is. */
export const pushListingHandler = ({
  database,
  requests,
}: {
  readonly database: Database;
  readonly requests: Requests<Tx>;
}): Handler =>
  handle(pushListing, async ({ payload: { accountId, sku }, companyId }) => {
    const account = await findAccount(database.kysely, companyId ?? "all", accountId);
    if (account === undefined) throw accountGone(accountId);
    const unparked = await database.transaction(async (tx) => {
      const wasParked = await unparkListing(tx, accountId, sku);
      const wish = { accountId, urgent: false, dueAt: null };
      if (!wasParked) return false;
      // Another letter of the same listing has nothing left to do.
      const reason = "a replay told the listing again";
      await closeCorrectedLetters(tx, { accountId, skus: [sku], by: pushListing.name, reason });
      await askPush(tx, requests, account.companyId, wish, pushListing.name);
      return true;
    });
    return { unparked };
  });
