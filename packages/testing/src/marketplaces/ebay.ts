import { openTokenServer } from "./access-tokens.ts";
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

const CLIENT = { id: "ebay-app", secret: "ebay-cert" };
const REFRESH = "ebay-refresh";
const MAX_REQUESTS = 25;
const INVENTORY = "/sell/inventory/v1";
const ANALYTICS = "/developer/analytics/v1_beta/user_rate_limit/";

/**
 * eBay's Inventory API: `bulk_update_price_quantity`, 25 at a time, a status for each; tokens that end; a
 * quota that comes back all at once, when its window ends, told by the Analytics API alone.
 */
export function ebayImitation(): Imitation {
  const tokens = openTokenServer(
    (call, form) =>
      header(call, "authorization") ===
        `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString("base64")}` &&
      form.get("refresh_token") === REFRESH,
  );
  const window = { endsAt: 0, left: 0 };

  /** `burst` calls a window, which is as long as `perSecond` would take to fill it. */
  function current({ quota }: World) {
    if (Date.now() >= window.endsAt) {
      window.endsAt = Date.now() + (quota.burst / quota.perSecond) * 1_000;
      window.left = quota.burst;
    }
    return window;
  }

  return {
    kind: "ebay",
    quota: { burst: 2_000_000, perSecond: 2_000_000 / 86_400 },
    idOf: (sku) => sku,
    account: ({ url }) => ({
      settings: { endpoint: url },
      credentials: { clientId: CLIENT.id, clientSecret: CLIENT.secret, refreshToken: REFRESH },
    }),
    endTokens: tokens.end,
    isAside: ({ path }) => path.startsWith("/identity/") || path === ANALYTICS,
    answer(call, world) {
      if (call.path === "/identity/v1/oauth2/token") return tokens.grant(call, world);
      if (!tokens.isGood(header(call, "authorization")?.replace("Bearer ", ""), world))
        return refuse(401, 1001, "Invalid access token");
      const open = current(world);
      if (call.path === ANALYTICS) return { status: 200, body: limits(open, world) };
      if (open.left <= 0) {
        world.throttled(open.endsAt - Date.now());
        return refuse(
          429,
          2001,
          "Too many requests. The request limit has been reached for the resource.",
        );
      }
      open.left--;
      const route = `${call.method} ${call.path.replace(INVENTORY, "")}`;
      if (route === "POST /bulk_update_price_quantity") return update(call, world);
      if (route === "GET /inventory_item") return page(call, world);
      return refuse(404, 2002, "Resource not found");
    },
  };
}

const limits = ({ endsAt, left }: { endsAt: number; left: number }, { quota }: World) => ({
  rateLimits: [
    {
      apiContext: "sell",
      apiName: "inventory",
      resources: [
        {
          name: "sell.inventory",
          rates: [
            {
              limit: quota.burst,
              remaining: left,
              reset: new Date(endsAt).toISOString(),
              timeWindow: quota.burst / quota.perSecond,
            },
          ],
        },
      ],
    },
  ],
});

function update(call: Call, world: World): Answer {
  const requests = list(object(call.json)["requests"]).map(object);
  if (requests.length === 0 || requests.length > MAX_REQUESTS)
    return refuse(400, 25710, `between 1 and ${MAX_REQUESTS} requests are taken`);
  world.wrote(requests.length);
  const responses = requests.map((request) => write(request, world));
  const good = responses.filter(({ statusCode }) => statusCode === 200).length;
  return {
    status: good === responses.length ? 200 : good === 0 ? 400 : 207,
    body: { responses },
  };
}

function write(request: Readonly<Record<string, unknown>>, { shelf }: World) {
  const { sku } = request;
  const { quantity } = object(request["shipToLocationAvailability"]);
  const failed = (statusCode: number, errorId: number, message: string) => ({
    sku,
    statusCode,
    errors: [{ errorId, domain: "API_INVENTORY", category: "REQUEST", message }],
  });
  if (!isStock(quantity)) return failed(400, 25004, "Invalid quantity");
  if (!shelf.write(String(sku), quantity))
    return failed(404, 25702, `${sku} could not be found or is not available in the system.`);
  return { sku, statusCode: 200, errors: [] };
}

function page(call: Call, { shelf }: World): Answer {
  const limit = Number(call.query.get("limit") ?? 25);
  const offset = Number(call.query.get("offset") ?? 0);
  const inventoryItems = shelf.listings.slice(offset, offset + limit).map(({ sku }) => ({
    sku,
    availability: { shipToLocationAvailability: { quantity: shelf.stock.get(sku) } },
  }));
  return { status: 200, body: { total: shelf.listings.length, limit, inventoryItems } };
}

const refuse = (status: number, errorId: number, message: string): Answer => ({
  status,
  body: { errors: [{ errorId, domain: "ACCESS", category: "REQUEST", message }] },
});
