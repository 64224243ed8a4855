import { LONGEST_WAIT_MS, throttleFromHeaders } from "@ballast/jobs";
import type { RemoteHttp, RemoteRequest, RemoteResponse } from "../http/remote-http.ts";
import { type TokenGrant, withToken } from "./access-token.ts";
import type { AdapterDeps, ItemOutcome, MarketplaceAdapter, StockItem } from "./adapter.ts";
import { openAsk } from "./ask.ts";
import { at, list, number, text } from "./json.ts";
import { confirmed, failed, noResult, rejected } from "./outcomes.ts";
import { API_VERSIONS } from "./versions.ts";

const MAX_BATCH = 25;
const PAGE = 100;
const SCOPE = "https://api.ebay.com/oauth/api_scope/sell.inventory";

/** eBay's Inventory API: `bulk_update_price_quantity`, 25 SKUs a call, so many calls a day. */
export function ebayAdapter({
  settings,
  credentials,
  tokens,
  ...deps
}: AdapterDeps<"ebay">): MarketplaceAdapter {
  const base = (
    settings.endpoint ?? `https://api.${settings.sandbox ? "sandbox." : ""}ebay.com`
  ).replace(/\/$/, "");
  const inventory = `${base}/sell/inventory/${API_VERSIONS.ebayInventory}`;
  const ask = withToken(
    openAsk({
      name: "eBay",
      ...deps,
      readThrottle,
      findWaitMs: (request, signal) => dailyResetMs(deps.http, base, request, signal),
    }),
    {
      tokens,
      grant: grantOf(base, credentials),
      header: (token) => ({ Authorization: `Bearer ${token}` }),
    },
  );

  return {
    kind: "ebay",
    maxBatch: MAX_BATCH,
    readThrottle,

    async push(items, signal) {
      const { body } = await ask(
        {
          method: "POST",
          url: `${inventory}/bulk_update_price_quantity`,
          headers: { "Content-Language": "en-US" },
          body: { requests: items.map(requestOf) },
        },
        // Where every item was refused the whole is a 400, with the same results inside.
        { signal, tolerates: ({ body: said }) => Array.isArray(at(said, "responses")) },
      );
      const bySku = Map.groupBy(list(at(body, "responses")), (result) => text(at(result, "sku")));
      return items.map((item) => outcomeOf(item, bySku.get(idsOf(item).sku) ?? []));
    },

    idThere: (externalId) => idsOf({ externalId }).sku,

    async list(cursor, signal) {
      const offset = Number(cursor ?? 0);
      const { body } = await ask(
        { method: "GET", url: `${inventory}/inventory_item?limit=${PAGE}&offset=${offset}` },
        { signal },
      );
      const found = list(at(body, "inventoryItems"));
      const next = offset + PAGE < (number(at(body, "total")) ?? 0) ? offset + PAGE : undefined;
      return {
        items: found.flatMap((item) => {
          const sku = text(at(item, "sku"));
          const quantity = number(
            at(item, "availability", "shipToLocationAvailability", "quantity"),
          );
          return sku === undefined || quantity === undefined
            ? []
            : [{ externalId: sku, sku, quantity }];
        }),
        ...(next === undefined || found.length === 0 ? {} : { next: String(next) }),
      };
    },
  };
}

/** SKUs at eBay are letters and digits, so a slash cannot be one's own. */
function idsOf({ externalId }: Pick<StockItem, "externalId">): {
  sku: string;
  offerId: string | undefined;
} {
  const [sku = "", offerId] = externalId.split("/");
  return { sku, offerId };
}

/** What an offer holds back for itself is set beside the total, or its listing would keep the lower one. */
function requestOf(item: StockItem): object {
  const { sku, offerId } = idsOf(item);
  return {
    sku,
    shipToLocationAvailability: { quantity: item.quantity },
    ...(offerId === undefined ? {} : { offers: [{ offerId, availableQuantity: item.quantity }] }),
  };
}

/** An item has a result of its own and one for its offer: it is done when both are. */
function outcomeOf(item: StockItem, results: readonly unknown[]): ItemOutcome {
  if (results.length === 0) return noResult(item);
  const bad = results.find((result) => !(statusOf(result) >= 200 && statusOf(result) < 300));
  if (bad === undefined) return confirmed(item);
  const status = statusOf(bad);
  const error = at(bad, "errors", 0);
  const code = `ebay_${text(at(error, "errorId")) ?? status}`;
  const message = text(at(error, "message")) ?? "";
  const mayWorkLater =
    !(status >= 400 && status < 500) ||
    [408, 409, 429].includes(status) ||
    at(error, "category") === "APPLICATION"; // a fault of theirs
  return mayWorkLater ? failed(item, code, message) : rejected(item, code, message);
}

const statusOf = (result: unknown): number => number(at(result, "statusCode")) ?? 0;

const readThrottle = ({ status, headers }: RemoteResponse) =>
  throttleFromHeaders(status, headers, Date.now());

/**
 * A 429 of eBay does not say how long: the quota is a day's, and the Analytics API knows when it is full
 * again. It has a quota of its own, and without its answer the usual wait will do.
 */
async function dailyResetMs(
  http: RemoteHttp,
  base: string,
  { headers = {} }: RemoteRequest,
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = `developer/analytics/${API_VERSIONS.ebayAnalytics}/user_rate_limit/`;
  const { body } = await http
    .request(
      { method: "GET", url: `${base}/${path}?api_context=sell&api_name=inventory`, headers },
      signal,
    )
    .catch(() => ({ body: undefined }));
  signal.throwIfAborted();
  const resets = list(at(body, "rateLimits"))
    .flatMap((limit) => list(at(limit, "resources")))
    .flatMap((resource) => list(at(resource, "rates")))
    .filter((rate) => number(at(rate, "remaining")) === 0)
    .map((rate) => Date.parse(text(at(rate, "reset")) ?? "") - Date.now())
    .filter((waitMs) => waitMs > 0);
  return resets.length === 0 ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(...resets));
}

const grantOf = (
  base: string,
  { clientId, clientSecret, refreshToken }: AdapterDeps<"ebay">["credentials"],
): TokenGrant => ({
  name: "eBay",
  url: `${base}/identity/v1/oauth2/token`,
  headers: {
    Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
  },
  form: { grant_type: "refresh_token", refresh_token: refreshToken, scope: SCOPE },
});
