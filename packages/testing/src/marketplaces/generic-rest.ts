import type { MarketplaceDoubleOptions } from "./double.ts";
import {
  type Answer,
  type Call,
  header,
  type Imitation,
  isStock,
  object,
  type World,
} from "./imitation.ts";

const MAX_ITEMS = 100;
const PAGE = 100;

/**
 * A marketplace of no brand. `POST /stock` takes up to 100 `{ sku, quantity }` and answers 200 with a result
 * per item; `GET /stock` lists, a page at a time. Both want the bearer token and cost one request of the
 * quota, which IETF's `RateLimit-*` tell.
 */
export const genericRestImitation = ({
  token = "",
  throttleStatus = 429,
}: MarketplaceDoubleOptions): Imitation => ({
  kind: "generic-rest",
  quota: { burst: 10, perSecond: 5 },
  idOf: (sku) => sku,
  account: ({ url }) => ({
    settings: {
      baseUrl: url,
      push: {
        path: "/stock",
        maxBatch: MAX_ITEMS,
        body: { items: { $each: { sku: "{externalId}", quantity: "{quantity}" } } },
        results: { items: "/results", externalId: "/sku" },
        rejectedCodes: ["unknown_sku", "invalid_quantity"],
      },
      list: {
        path: "/stock?cursor={cursor}",
        items: "/items",
        externalId: "/sku",
        sku: "/sku",
        quantity: "/quantity",
        next: "/next",
      },
      throttle: {
        throttledWhen: [
          { status: 429 },
          { status: 422, pointer: "/error/code", equals: "too_many_requests" },
        ],
      },
    },
    credentials: { token },
  }),
  answer(call, world) {
    if (world.isLockedOut || header(call, "authorization") !== `Bearer ${token}`)
      return refuse(401, "unauthorized", "a valid bearer token is needed");
    const { granted, remaining, retryAfterMs, resetMs } = world.take();
    const headers = {
      "RateLimit-Limit": world.quota.burst,
      "RateLimit-Remaining": remaining,
      "RateLimit-Reset": Math.ceil(resetMs / 1_000),
    };
    if (!granted)
      return {
        ...refuse(throttleStatus, "too_many_requests", "the quota is used up"),
        headers: { ...headers, ...world.retryAfter(retryAfterMs) },
      };
    return { headers, ...routed(call, world) };
  },
});

function routed(call: Call, world: World): Answer {
  const route = `${call.method} ${call.path}`;
  if (route === "GET /stock") return page(call, world);
  if (route !== "POST /stock") return refuse(404, "not_found", `there is no ${route}`);
  const { items } = object(call.json);
  if (!Array.isArray(items)) return refuse(422, "invalid_body", "items must be an array");
  if (items.length > MAX_ITEMS)
    return refuse(422, "too_many_items", `at most ${MAX_ITEMS} items, not ${items.length}`);
  world.wrote(items.length);
  return { status: 200, body: { results: items.map((item) => write(item, world)) } };
}

function page(call: Call, { shelf }: World): Answer {
  const from = Number(call.query.get("cursor") ?? 0);
  const items = shelf.listings
    .slice(from, from + PAGE)
    .map(({ sku }) => ({ sku, quantity: shelf.stock.get(sku) }));
  const isLast = from + PAGE >= shelf.listings.length;
  return { status: 200, body: { items, ...(isLast ? {} : { next: String(from + PAGE) }) } };
}

/** One item's outcome; one bad item does not spoil the others. */
function write(item: unknown, { shelf }: World): object {
  const { sku, quantity } = object(item);
  const failed = (code: string, message: string) => ({
    sku,
    status: "error",
    error: { code, message },
  });
  if (typeof sku !== "string" || !shelf.stock.has(sku))
    return failed("unknown_sku", `no article ${sku}`);
  if (!isStock(quantity))
    return failed("invalid_quantity", "quantity must be a whole number from 0 up");
  shelf.write(sku, quantity);
  return { sku, status: "ok" };
}

const refuse = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});
