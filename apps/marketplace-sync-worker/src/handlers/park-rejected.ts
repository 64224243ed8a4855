import { pushListing } from "@ballast/contracts";
import {
  type MarketplaceAccount,
  type PushOutcome,
  parkStillborn,
  type Tx,
} from "@ballast/database";

/**
 * Give each item that can never work a dead letter of its own, in the transaction that parks its listing: it
 * blocks nobody, shows where all that died shows, and its replay takes the listing out of the park.
 */
export async function parkRejected(
  tx: Tx,
  { id: accountId, companyId }: MarketplaceAccount,
  outcomes: readonly PushOutcome[],
): Promise<void> {
  const { queue, name, version, priority, giveUpAfterMs } = pushListing;
  const rejected = outcomes.filter(({ outcome }) => outcome === "rejected");
  await parkStillborn(
    tx,
    rejected.map(({ sku, externalId, code = "unknown", message = "" }) => ({
      queue: queue.name,
      job: name,
      version,
      payload: { accountId, sku },
      companyId,
      subject: pushListing.subject?.({ accountId, sku }) ?? null,
      priority,
      deadlineAt: new Date(Date.now() + giveUpAfterMs),
      code: "listing_rejected",
      message: `${code}: ${message} (listing ${externalId} of ${sku}; correct it, then replay this)`,
    })),
    "push-stock",
  );
}
