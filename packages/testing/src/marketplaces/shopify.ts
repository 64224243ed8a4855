import {
  type Call,
  header,
  type Imitation,
  isStock,
  list,
  object,
  type World,
} from "./imitation.ts";

const VERSION = "2026-07";
const ACCESS_TOKEN = "shpat_double";
const LOCATION = "gid://shopify/Location/7";
const MAX_INPUT = 250;
const MUTATION_COST = 10;

/**
 * Shopify's Admin GraphQL, as far as stock goes: the cost bucket, THROTTLED inside a 200, `userErrors` that
 * spoil their whole call, `changeFromQuantity` and `@idempotent` that must be there.
 */
export const shopifyImitation = (): Imitation => ({
  kind: "shopify",
  quota: { burst: 2_000, perSecond: 100 },
  idOf: (_sku, n) => `gid://shopify/InventoryItem/${1_000 + n}`,
  account: ({ url }) => ({
    settings: { shop: "double.myshopify.com", locationId: LOCATION, endpoint: url },
    credentials: { accessToken: ACCESS_TOKEN },
  }),
  answer(call, world) {
    if (call.path !== `/admin/api/${VERSION}/graphql.json`)
      return { status: 404, body: { errors: "Not Found" } };
    if (world.isLockedOut || header(call, "x-shopify-access-token") !== ACCESS_TOKEN)
      return {
        status: 401,
        body: {
          errors: "[API] Invalid API key or access token (unrecognized login or wrong password)",
        },
      };
    const query = String(object(call.json)["query"] ?? "");
    const isWrite = query.includes("inventorySetQuantities");
    const { first } = variablesOf(call);
    const requested = isWrite ? MUTATION_COST : 2 + Math.ceil(Number(first ?? 0) / 2);
    const { granted, remaining, retryAfterMs } = world.take(requested);
    const extensions = {
      cost: {
        requestedQueryCost: requested,
        actualQueryCost: granted ? requested : null,
        throttleStatus: {
          maximumAvailable: world.quota.burst,
          currentlyAvailable: remaining,
          restoreRate: world.quota.perSecond,
        },
      },
    };
    if (!granted) {
      world.throttled(retryAfterMs);
      return { status: 200, body: { ...failed("THROTTLED", "Throttled"), extensions } };
    }
    return {
      status: 200,
      body: { ...(isWrite ? set(call, query, world) : levels(call, world)), extensions },
    };
  },
});

const variablesOf = (call: Call) => object(object(call.json)["variables"]);

const failed = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });

function set(call: Call, query: string, world: World): object {
  const { input, key } = variablesOf(call);
  const quantities = list(object(input)["quantities"]).map(object);
  if (!query.includes("@idempotent") || typeof key !== "string")
    return failed("BAD_REQUEST", "The @idempotent directive is required for this mutation");
  if (quantities.length > MAX_INPUT)
    return failed(
      "MAX_INPUT_SIZE_EXCEEDED",
      `The input array size of ${quantities.length} is greater than ${MAX_INPUT}`,
    );
  const userErrors = quantities.flatMap((quantity, n) => errorOf(quantity, n, world));
  if (userErrors.length === 0)
    for (const { inventoryItemId, quantity } of quantities)
      world.shelf.write(String(inventoryItemId), Number(quantity));
  world.wrote(quantities.length);
  return { data: { inventorySetQuantities: { userErrors } } };
}

function errorOf(wanted: Readonly<Record<string, unknown>>, n: number, { shelf }: World): object[] {
  const error = (field: string, code: string, message: string) => [
    { code, field: ["input", "quantities", String(n), field], message },
  ];
  const { inventoryItemId, locationId, quantity, changeFromQuantity } = wanted;
  const held = shelf.quantityOf(String(inventoryItemId));
  if (locationId !== LOCATION)
    return error("locationId", "INVALID_LOCATION", "The specified location could not be found.");
  if (held === undefined)
    return error(
      "inventoryItemId",
      "INVALID_INVENTORY_ITEM",
      "The specified inventory item could not be found.",
    );
  if (changeFromQuantity === undefined)
    return error(
      "changeFromQuantity",
      "COMPARE_QUANTITY_REQUIRED",
      "changeFromQuantity must be given, or null.",
    );
  if (!isStock(quantity))
    return error("quantity", "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.");
  if (changeFromQuantity !== null && changeFromQuantity !== held)
    return error(
      "changeFromQuantity",
      "CHANGE_FROM_QUANTITY_STALE",
      "The changeFromQuantity value does not match persisted value.",
    );
  return [];
}

function levels(call: Call, { shelf }: World): object {
  const { location, first, after } = variablesOf(call);
  if (location !== LOCATION) return { data: { location: null } };
  const from = typeof after === "string" ? Number(after) : 0;
  const upTo = from + Number(first);
  return {
    data: {
      location: {
        inventoryLevels: {
          nodes: shelf.listings.slice(from, upTo).map(({ sku, externalId }) => ({
            item: { id: externalId, sku },
            quantities: [{ quantity: shelf.stock.get(sku) }],
          })),
          pageInfo: { hasNextPage: upTo < shelf.listings.length, endCursor: String(upTo) },
        },
      },
    },
  };
}
