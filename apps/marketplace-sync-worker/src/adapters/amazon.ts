import { type Throttle, throttleFromHeaders } from "@ballast/jobs";
import { type RemoteResponse, SMALL_BYTES } from "../http/remote-http.ts";
import { withToken } from "./access-token.ts";
import type { AdapterDeps, ItemOutcome, MarketplaceAdapter, StockItem } from "./adapter.ts";
import { openAmazonFeeds } from "./amazon-feed.ts";
import { listAmazon } from "./amazon-list.ts";
import { stockPatch, told } from "./amazon-message.ts";
import { openAsk } from "./ask.ts";
import { isPathSegment } from "./generic-template.ts";
import { at, list, text } from "./json.ts";
import { confirmed, failed, pushParts, rejected, slices, unusable } from "./outcomes.ts";
import { API_VERSIONS } from "./versions.ts";

/** Messages in one feed. */
const MAX_BATCH = 10_000;
/** Together they reach 5 calls a second although each takes most of one. */
const CONCURRENCY = 5;
/** After this long whoever pushes looks around; what is urgent meanwhile comes first then. */
const CALLS_FOR_MS = 20_000;

const ENDPOINTS = {
  na: "https://sellingpartnerapi-na.amazon.com",
  eu: "https://sellingpartnerapi-eu.amazon.com",
  fe: "https://sellingpartnerapi-fe.amazon.com",
};
const LOGIN = "https://api.amazon.com";

/**
 * Amazon's Selling Partner API: a call for each item (`patchListingsItem`), or one `JSON_LISTINGS_FEED` for
 * all of them from `feedFrom` items on, where waiting for it costs less than so many calls.
 */
export function amazonAdapter({
  settings,
  credentials,
  tokens,
  pause,
  ...deps
}: AdapterDeps<"amazon">): MarketplaceAdapter {
  const base = (settings.endpoint ?? ENDPOINTS[settings.region]).replace(/\/$/, "");
  const { marketplaceId, sellerId } = settings;
  const items = `${base}/listings/${API_VERSIONS.amazonListings}/items/${sellerId}`;
  const bare = openAsk({ name: "Amazon", ...deps, readThrottle });
  const ask = withToken(bare, {
    tokens,
    grant: {
      name: "Login with Amazon",
      url: `${(settings.loginEndpoint ?? LOGIN).replace(/\/$/, "")}/auth/o2/token`,
      form: {
        grant_type: "refresh_token",
        refresh_token: credentials.refreshToken,
        client_id: credentials.clientId,
        client_secret: credentials.clientSecret,
      },
    },
    header: (token) => ({ "x-amz-access-token": token }),
  });
  const feeds = openAmazonFeeds({ base, marketplaceId, sellerId, ask, askStorage: bare, pause });

  async function patch(item: StockItem, signal: AbortSignal): Promise<ItemOutcome> {
    if (!isPathSegment(item.externalId)) return unusable(item, "a SKU");
    const response = await ask(
      {
        method: "PATCH",
        url: `${items}/${encodeURIComponent(item.externalId)}?marketplaceIds=${marketplaceId}`,
        body: { productType: "PRODUCT", patches: [stockPatch(item)] },
        maxBytes: SMALL_BYTES,
      },
      { signal, tolerates: isAboutTheItem },
    );
    return outcomeOf(item, response);
  }

  return {
    kind: "amazon",
    maxBatch: MAX_BATCH,
    readThrottle,

    push(batch, signal) {
      if (batch.length >= settings.feedFrom) return feeds.push(batch, signal);
      return pushParts(
        batch,
        slices(batch, 1),
        async ([item]) => [await patch(item as StockItem, signal)],
        { concurrency: CONCURRENCY, untilMs: Date.now() + CALLS_FOR_MS },
      );
    },

    list: (cursor, signal) => listAmazon({ ask, items, marketplaceId }, cursor, signal),
  };
}

/** 400 and 404 speak of this SKU; what the account may not do is a 403. */
const isAboutTheItem = ({ status }: RemoteResponse) => status === 400 || status === 404;

function outcomeOf(item: StockItem, { status, body }: RemoteResponse): ItemOutcome {
  if (status >= 400) {
    const error = at(body, "errors", 0);
    return rejected(
      item,
      text(at(error, "code")) ?? `http_${status}`,
      text(at(error, "message")) ?? "",
    );
  }
  const verdict = text(at(body, "status"));
  if (verdict === "ACCEPTED" || verdict === "VALID") return confirmed(item);
  const issue = list(at(body, "issues")).find((one) => at(one, "severity") === "ERROR");
  if (verdict === "INVALID") return rejected(item, ...told(issue));
  return failed(item, "answer_unexpected", `neither accepted nor invalid: ${verdict}`);
}

/** `x-amzn-RateLimit-Limit` is the rate that calls come back at; how many may be made at once nobody tells. */
function readThrottle({ status, headers }: RemoteResponse): Throttle {
  const rate = Number(headers["x-amzn-ratelimit-limit"] ?? Number.NaN);
  return {
    ...throttleFromHeaders(status, headers, Date.now()),
    ...(rate > 0 && rate < 1e6 ? { restorePerSecond: rate } : {}),
  };
}
