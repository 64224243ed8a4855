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

const KEY = "ck_double";
const SECRET = "cs_double";
const MAX_ITEMS = 100;
const ROOT = "/wp-json/wc/v3/products";
/** One product in so many has its stock in variations. */
const EVERY = 10;
const PARENT = 500;

/**
 * WooCommerce's REST API: `products/batch` and `products/{id}/variations/batch` with errors per item in a
 * 200, and nothing that tells a quota but the host's own 429.
 */
export const woocommerceImitation = (): Imitation => ({
  kind: "woocommerce",
  quota: { burst: 50, perSecond: 20 },
  idOf: (_sku, n) => (n % EVERY === EVERY - 1 ? `${PARENT}/${1_000 + n}` : String(1_000 + n)),
  account: ({ url }) => ({
    settings: { url },
    credentials: { consumerKey: KEY, consumerSecret: SECRET },
  }),
  answer(call, world) {
    const basic = `Basic ${Buffer.from(`${KEY}:${SECRET}`).toString("base64")}`;
    if (world.isLockedOut || header(call, "authorization") !== basic)
      return refuse(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.");
    const { granted, retryAfterMs } = world.take();
    if (!granted)
      return {
        status: 429,
        body: "<h1>Too Many Requests</h1>",
        headers: world.retryAfter(retryAfterMs),
      };
    const parent = /^\/(\d+)\/variations/.exec(call.path.slice(ROOT.length))?.[1];
    const base = parent === undefined ? ROOT : `${ROOT}/${parent}/variations`;
    if (call.method === "GET" && call.path === base) return page(call, world, parent);
    if (call.method === "POST" && call.path === `${base}/batch`) return batch(call, world, parent);
    return refuse(404, "rest_no_route", "No route was found matching the URL and request method.");
  },
});

function batch(call: Call, world: World, parent: string | undefined): Answer {
  const update = list(object(call.json)["update"]);
  if (update.length > MAX_ITEMS)
    return refuse(
      413,
      "woocommerce_rest_request_entity_too_large",
      `Unable to accept more than ${MAX_ITEMS} items for this request.`,
    );
  world.wrote(update.length);
  return {
    status: 200,
    body: { update: update.map((item) => write(object(item), world, parent)) },
  };
}

function write(
  item: Readonly<Record<string, unknown>>,
  { shelf }: World,
  parent: string | undefined,
): object {
  const { id, stock_quantity: quantity } = item;
  const failed = (code: string, message: string) => ({
    id,
    error: { code, message, data: { status: 400 } },
  });
  if (!isStock(quantity))
    return failed("rest_invalid_param", "Invalid parameter(s): stock_quantity");
  const written = shelf.write(parent === undefined ? String(id) : `${parent}/${id}`, quantity);
  const post = parent === undefined ? "product" : "product_variation";
  return written
    ? { id, manage_stock: true, stock_quantity: quantity }
    : failed(`woocommerce_rest_${post}_invalid_id`, "Invalid ID.");
}

function page(call: Call, { shelf }: World, parent: string | undefined): Answer {
  const own = shelf.listings.flatMap(({ sku, externalId }) => {
    const [first, second] = externalId.split("/");
    const isHere = parent === undefined ? second === undefined : first === parent;
    if (!isHere) return [];
    const id = Number(second ?? first);
    const quantity = shelf.stock.get(sku);
    return [{ id, sku, type: "simple", manage_stock: true, stock_quantity: quantity }];
  });
  const hasVariations = parent === undefined && shelf.listings.length >= EVERY;
  const variable = {
    id: PARENT,
    sku: "",
    type: "variable",
    manage_stock: false,
    stock_quantity: null,
  };
  const all = hasVariations ? [variable, ...own] : own;
  const size = Number(call.query.get("per_page") ?? 10);
  const from = (Number(call.query.get("page") ?? 1) - 1) * size;
  return {
    status: 200,
    body: all.slice(from, from + size),
    headers: { "X-WP-Total": all.length, "X-WP-TotalPages": Math.ceil(all.length / size) },
  };
}

const refuse = (status: number, code: string, message: string): Answer => ({
  status,
  body: { code, message, data: { status } },
});
