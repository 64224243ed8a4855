import { openTokenServer } from "./access-tokens.ts";
import { openFeeds } from "./amazon-feeds.ts";
import type { MarketplaceDoubleOptions } from "./double.ts";
import {
  type Answer,
  type Call,
  header,
  type Imitation,
  isStock,
  list,
  object,
  type World,
} from "./imitation.ts";

const CLIENT = { id: "amzn1.application-oa2-client.double", secret: "amzn1.oa2-cs.v1.double" };
const REFRESH = "Atzr|double";
const SELLER = "A2DOUBLE";
const MARKETPLACE = "A1PA6795UKMFR9";
const LISTINGS = `/listings/2021-08-01/items/${SELLER}`;
/** A search shows no more, however many there are. */
const MAX_RESULTS = 1_000;

/**
 * Amazon's Selling Partner API: tokens of Login with Amazon, `patchListingsItem` one by one, feeds with their
 * documents, a search of listings, and a rate that every answer tells in `x-amzn-RateLimit-Limit`.
 */
export function amazonImitation({ feedLooks = 1 }: MarketplaceDoubleOptions): Imitation {
  const tokens = openTokenServer(
    (_call, form) =>
      form.get("client_id") === CLIENT.id &&
      form.get("client_secret") === CLIENT.secret &&
      form.get("refresh_token") === REFRESH,
  );
  const feeds = openFeeds(applied, feedLooks);

  return {
    kind: "amazon",
    quota: { burst: 5, perSecond: 5 },
    idOf: (sku) => sku,
    account: ({ url }) => ({
      settings: {
        region: "eu",
        marketplaceId: MARKETPLACE,
        sellerId: SELLER,
        endpoint: url,
        loginEndpoint: url,
      },
      credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret, refreshToken: REFRESH },
    }),
    endTokens: tokens.end,
    isAside: ({ path }) => path === "/auth/o2/token" || path.startsWith("/storage/"),
    answer(call, world) {
      if (call.path === "/auth/o2/token") return tokens.grant(call, world);
      if (call.path.startsWith("/storage/")) return feeds.store(call);
      if (!tokens.isGood(header(call, "x-amz-access-token"), world))
        return refuse(403, "Unauthorized", "Access to requested resource is denied.");
      if (call.path.startsWith("/feeds/")) return feeds.answer(call, world);
      const { granted } = world.take();
      const headers = { "x-amzn-RateLimit-Limit": String(world.quota.perSecond) };
      if (!granted) {
        world.throttled();
        return {
          ...refuse(429, "QuotaExceeded", "You exceeded your quota for the requested resource."),
          headers,
        };
      }
      return { ...listings(call, world), headers };
    },
  };
}

function listings(call: Call, world: World): Answer {
  if (call.method === "GET" && call.path === LISTINGS) return search(call, world);
  if (call.method !== "PATCH" || !call.path.startsWith(`${LISTINGS}/`))
    return refuse(404, "NotFound", "there is no such operation");
  const sku = decodeURIComponent(call.path.slice(LISTINGS.length + 1));
  if (!world.shelf.stock.has(sku))
    return refuse(404, "NOT_FOUND", `SKU ${sku} not found in marketplace ${MARKETPLACE}`);
  world.wrote(1);
  const issues = applied({ ...object(call.json), sku }, world);
  const status = issues.length === 0 ? "ACCEPTED" : "INVALID";
  return { status: 200, body: { sku, status, submissionId: "f1dc2914", issues } };
}

/** Set what a patch says, whether it came alone or in a feed; what is wrong with it otherwise. */
function applied(message: Readonly<Record<string, unknown>>, { shelf }: World): object[] {
  const error = (code: string, text: string) => [{ code, message: text, severity: "ERROR" }];
  const [patch] = list(message["patches"]).map(object);
  const [value] = list(patch?.["value"]).map(object);
  if (patch?.["path"] !== "/attributes/fulfillment_availability" || value === undefined)
    return error("90220", "fulfillment_availability is required but not supplied.");
  if (!isStock(value["quantity"])) return error("90244", "quantity is not valid.");
  if (!shelf.write(String(message["sku"]), value["quantity"]))
    return error("13013", "This SKU does not exist in the Amazon.com catalog.");
  return [];
}

/** Listings are a second old each, in their order. */
const createdDate = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString();

function search(call: Call, { shelf }: World): Answer {
  const size = Math.min(20, Number(call.query.get("pageSize") ?? 10));
  const after = call.query.get("createdAfter");
  const matching = shelf.listings
    .map(({ sku }, n) => ({ sku, createdDate: createdDate(n) }))
    .filter((listing) => after === null || listing.createdDate >= after)
    .slice(0, MAX_RESULTS);
  const from = Number(call.query.get("pageToken") ?? 0);
  const items = matching.slice(from, from + size).map((listing) => ({
    sku: listing.sku,
    summaries: [{ marketplaceId: MARKETPLACE, createdDate: listing.createdDate }],
    fulfillmentAvailability: [
      { fulfillmentChannelCode: "DEFAULT", quantity: shelf.stock.get(listing.sku) },
    ],
  }));
  const isLast = from + size >= matching.length;
  return {
    status: 200,
    body: {
      numberOfResults: matching.length,
      pagination: isLast ? {} : { nextToken: String(from + size) },
      items,
    },
  };
}

const refuse = (status: number, code: string, message: string): Answer => ({
  status,
  body: { errors: [{ code, message, details: "" }] },
});
