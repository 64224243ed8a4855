import { randomUUID } from "node:crypto";
import {
  DependencyDownError,
  type JobError,
  PermanentError,
  type Throttle,
  TransientError,
} from "@ballast/jobs";
import { words } from "../http/failures.ts";
import type { RemoteResponse } from "../http/remote-http.ts";
import type { AdapterDeps, ItemOutcome, MarketplaceAdapter, StockItem } from "./adapter.ts";
import { openAsk } from "./ask.ts";
import { at, list, number, object, text } from "./json.ts";
import { confirmed, failed, rejected, unusable } from "./outcomes.ts";
import { API_VERSIONS } from "./versions.ts";

/** Shopify refuses longer arrays of input. */
const MAX_BATCH = 250;
const PAGE = 250;
/** Every mutation costs 10 points; a page of levels about as much as it has nodes, told by its answer. */
const FIRST_COST = { SetStock: 10, ListStock: 150 };
/** One refused item fails its whole call, so the others are sent again without it. */
const MAX_PASSES = 3;

const SET_STOCK = `mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code field message } }
}`;

const LIST_STOCK = `query ListStock($location: ID!, $first: Int!, $after: String) {
  location(id: $location) {
    inventoryLevels(first: $first, after: $after) {
      nodes { item { id sku } quantities(names: ["available"]) { quantity } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

/** Shopify's Admin API: `inventorySetQuantities`, 250 items a call, all of them or none. */
export function shopifyAdapter({
  settings,
  credentials,
  ...deps
}: AdapterDeps<"shopify">): MarketplaceAdapter {
  const { shop, compareAndSet } = settings;
  const base = settings.endpoint ?? `https://${shop}`;
  const url = `${base.replace(/\/$/, "")}/admin/api/${API_VERSIONS.shopifyAdmin}/graphql.json`;
  const location = gid("Location", settings.locationId);
  const costs = { ...FIRST_COST };
  const ask = openAsk({ name: "Shopify", ...deps, readThrottle, judge });

  async function graphql(
    operation: keyof typeof costs,
    query: string,
    variables: object,
    signal: AbortSignal,
  ): Promise<unknown> {
    const response = await ask(
      {
        method: "POST",
        url,
        headers: { "X-Shopify-Access-Token": credentials.accessToken },
        body: { query, variables },
      },
      { signal, cost: costs[operation] },
    );
    costs[operation] = readThrottle(response).cost ?? costs[operation];
    return at(response.body, "data");
  }

  /** What is wrong with which item; empty if all are set. */
  async function set(items: readonly StockItem[], signal: AbortSignal): Promise<Refused> {
    const quantities = items.map(({ externalId, quantity, confirmed: last }) => ({
      inventoryItemId: gid("InventoryItem", externalId),
      locationId: location,
      quantity,
      // Said on purpose, although null: it opts out, and leaving it out is an error.
      changeFromQuantity: compareAndSet ? (last ?? null) : null,
    }));
    const input = { name: "available", reason: "correction", quantities };
    const data = await graphql("SetStock", SET_STOCK, { input, key: randomUUID() }, signal);
    const { userErrors } = object(at(data, "inventorySetQuantities"));
    if (!Array.isArray(userErrors))
      throw new TransientError("answer_unexpected", "Shopify's answer has no userErrors");
    return refused(userErrors, items.length);
  }

  return {
    kind: "shopify",
    maxBatch: MAX_BATCH,
    readThrottle,

    async push(items, signal) {
      const outcomes = new Map<StockItem, ItemOutcome>();
      for (const item of items)
        if (!isId(item.externalId)) outcomes.set(item, unusable(item, "an inventory item"));
      for (let pass = 0; pass < MAX_PASSES; pass++) {
        const open = items.filter((item) => !outcomes.has(item));
        if (open.length === 0) break;
        const errors = await set(open, signal);
        for (const [n, item] of open.entries()) {
          const error = errors.get(n);
          if (error) outcomes.set(item, outcomeOf(item, error));
          else if (errors.size === 0) outcomes.set(item, confirmed(item));
        }
      }
      return items.map(
        (item) =>
          outcomes.get(item) ?? failed(item, "not_sent", "other items of its call were refused"),
      );
    },

    idThere: (externalId) => gid("InventoryItem", externalId),

    async list(cursor, signal) {
      const variables = { location, first: PAGE, after: cursor ?? null };
      const data = await graphql("ListStock", LIST_STOCK, variables, signal);
      const found = object(at(data, "location"));
      if (!Object.hasOwn(found, "inventoryLevels"))
        throw new PermanentError("location_unknown", `Shopify knows no ${location} in ${shop}`);
      const levels = object(found["inventoryLevels"]);
      const next = at(levels, "pageInfo", "hasNextPage")
        ? text(at(levels, "pageInfo", "endCursor"))
        : undefined;
      return {
        items: list(levels["nodes"]).flatMap((node) => {
          const externalId = text(at(node, "item", "id"));
          const quantity = number(at(node, "quantities", 0, "quantity"));
          const sku = text(at(node, "item", "sku"));
          if (externalId === undefined || quantity === undefined) return [];
          return [{ externalId, quantity, ...(sku === undefined ? {} : { sku }) }];
        }),
        ...(next === undefined ? {} : { next }),
      };
    },
  };
}

interface UserError {
  readonly code: string;
  readonly message: string;
}
type Refused = ReadonlyMap<number, UserError>;

/** A refused item is named by its place: `["input", "quantities", "3", "inventoryItemId"]`. */
function refused(userErrors: readonly unknown[], count: number): Refused {
  const byItem = new Map<number, UserError>();
  for (const userError of userErrors) {
    const code = text(at(userError, "code")) ?? "unknown";
    const message = text(at(userError, "message")) ?? "";
    if (code === "INVALID_LOCATION")
      throw new PermanentError("location_unknown", `Shopify refused the location${words(message)}`);
    const place = Number(text(at(userError, "field", 2)) ?? Number.NaN);
    if (!Number.isInteger(place) || place < 0 || place >= count)
      throw new TransientError("request_refused", `Shopify refused ${code}${words(message)}`);
    byItem.set(place, { code, message });
  }
  return byItem;
}

const HOPELESS = new Set([
  "INVALID_INVENTORY_ITEM",
  "ITEM_NOT_STOCKED_AT_LOCATION",
  "NON_MUTABLE_INVENTORY_ITEM",
  "INVALID_QUANTITY_NEGATIVE",
  "INVALID_QUANTITY_TOO_HIGH",
  "INVALID_QUANTITY_TOO_LOW",
]);

const outcomeOf = (item: StockItem, { code, message }: UserError): ItemOutcome =>
  HOPELESS.has(code) ? rejected(item, code, message) : failed(item, code, message);

/** The cost bucket, and THROTTLED inside a 200. */
function readThrottle({ status, body }: RemoteResponse): Throttle {
  const isThrottled =
    status === 429 ||
    list(at(body, "errors")).some((error) => at(error, "extensions", "code") === "THROTTLED");
  const cost = object(at(body, "extensions", "cost"));
  const { maximumAvailable, currentlyAvailable, restoreRate } = object(cost["throttleStatus"]);
  const capacity = number(maximumAvailable);
  const remaining = number(currentlyAvailable);
  const restorePerSecond = number(restoreRate);
  const spent = number(cost["actualQueryCost"]) ?? number(cost["requestedQueryCost"]);
  const missing = (number(cost["requestedQueryCost"]) ?? 0) - (remaining ?? 0);
  const retryAfterMs =
    isThrottled && restorePerSecond !== undefined && restorePerSecond > 0
      ? Math.ceil((Math.max(0, missing) / restorePerSecond) * 1_000)
      : undefined;
  return {
    isThrottled,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(restorePerSecond === undefined ? {} : { restorePerSecond }),
    ...(spent === undefined ? {} : { cost: spent }),
  };
}

/** GraphQL fails inside a 200; the codes are Shopify's. */
function judge({ body }: RemoteResponse): JobError | undefined {
  const [error] = list(at(body, "errors"));
  if (error === undefined) return undefined;
  const code = text(at(error, "extensions", "code")) ?? "unknown";
  const said = `Shopify answered ${code}${words(text(at(error, "message")) ?? "")}`;
  if (code === "ACCESS_DENIED" || code === "SHOP_INACTIVE")
    return new DependencyDownError("auth_failed", `${said}: check the app's scopes and the shop`);
  if (code === "INTERNAL_SERVER_ERROR" || code === "TIMEOUT")
    return new DependencyDownError("remote_down", said);
  return new PermanentError("request_refused", said);
}

const isId = (externalId: string) =>
  /^(gid:\/\/shopify\/InventoryItem\/)?\d{1,20}$/.test(externalId);

const gid = (type: "Location" | "InventoryItem", id: string): string =>
  id.startsWith("gid://") ? id : `gid://shopify/${type}/${id}`;
