import { createHash } from "node:crypto";
import { type MarketplaceKind, marketplaces } from "@ballast/contracts";
import type { SharedQuota } from "@ballast/jobs";
import { z } from "zod";

const SECONDS_A_DAY = 86_400;
const HOURS_A_DAY = 24;

/**
 * The quota that an account shares with the others of its application, where its marketplace has one.
 *
 * Amazon lets an application make so many calls a second, whoever's they are, and tells of the seller's own rate alone.
 * eBay gives it so many a day, which are spread over the day with an hour's share at once; a refusal is one for all.
 */
export function sharedQuotaOf(
  kind: MarketplaceKind,
  account: { readonly settings: unknown; readonly credentials: unknown },
): SharedQuota | undefined {
  if (kind === "amazon") {
    const { data } = z.object(marketplaces.amazon).safeParse(account);
    if (data === undefined) return undefined; // whoever opens the adapter says what is wrong
    const perSecond = data.settings.appRequestsPerSecond;
    const quota = { capacity: perSecond, restorePerSecond: perSecond };
    return { remote: appRemote(kind, data, quota), quota, isRefusedTogether: false };
  }
  if (kind === "ebay") {
    const { data } = z.object(marketplaces.ebay).safeParse(account);
    if (data === undefined) return undefined;
    const { dailyCalls } = data.settings;
    const quota = dailyCalls && {
      capacity: Math.ceil(dailyCalls / HOURS_A_DAY),
      restorePerSecond: dailyCalls / SECONDS_A_DAY,
    };
    return {
      remote: appRemote(kind, data, quota),
      ...(quota ? { quota } : {}),
      isRefusedTogether: true,
    };
  }
  return undefined;
}

interface AppAccount {
  readonly settings: { readonly endpoint?: string | undefined };
  readonly credentials: { readonly clientId: string };
}

/**
 * The application's id is a credential: what is stored and logged tells nothing of it. Any account may name it, so
 * the address and the quota stand beside it: what one says of them reaches only those who say the same.
 */
const appRemote = (kind: string, { settings, credentials }: AppAccount, quota: unknown) => {
  const origin = settings.endpoint && new URL(settings.endpoint).origin;
  const app = JSON.stringify([origin, credentials.clientId, quota]);
  return {
    kind: "marketplace",
    key: `${kind}-app-${createHash("sha256").update(app).digest("hex").slice(0, 16)}`,
  } as const;
};
