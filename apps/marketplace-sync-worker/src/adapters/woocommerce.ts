import { throttleFromHeaders } from "@ballast/jobs";
import { MIB, type RemoteResponse } from "../http/remote-http.ts";
import type {
  AdapterDeps,
  ItemOutcome,
  ListedItem,
  MarketplaceAdapter,
  StockItem,
} from "./adapter.ts";
import { openAsk } from "./ask.ts";
import { at, list, number, text } from "./json.ts";
import { confirmed, failed, noResult, pushParts, rejected, slices, unusable } from "./outcomes.ts";
import { API_VERSIONS } from "./versions.ts";

const PAGE = 100;
/** A batch is answered by its products as a whole: 100 with 40 kB of texts each. A shop with longer ones lowers `maxBatch`. */
const MAX_BATCH_BYTES = 4 * MIB;
/** Codes end like this where the product or variation does not exist; the middle names the post type. */
const UNKNOWN = /_invalid_(parent_)?id$|_invalid_parent$/;

/** WooCommerce's REST API: `products/batch`, and the same below a product for its variations. */
export function woocommerceAdapter({
  settings,
  credentials,
  ...deps
}: AdapterDeps<"woocommerce">): MarketplaceAdapter {
  const base = `${settings.url.replace(/\/$/, "")}/wp-json/wc/${API_VERSIONS.woocommerceRest}`;
  const { consumerKey, consumerSecret } = credentials;
  const headers = {
    Authorization: `Basic ${Buffer.from(`${consumerKey}:${consumerSecret}`).toString("base64")}`,
  };
  const readThrottle = ({ status, headers: told }: RemoteResponse) =>
    throttleFromHeaders(status, told, Date.now());
  const ask = openAsk({ name: "WooCommerce", ...deps, readThrottle });

  async function pushBatch(
    items: readonly StockItem[],
    signal: AbortSignal,
  ): Promise<readonly ItemOutcome[]> {
    const { parent } = idsOf(items[0] as StockItem);
    const path = parent === undefined ? "products" : `products/${parent}/variations`;
    const update = items.map((item) => ({
      id: idsOf(item).id,
      manage_stock: true,
      stock_quantity: item.quantity,
    }));
    const { body } = await ask(
      {
        method: "POST",
        url: `${base}/${path}/batch`,
        headers,
        body: { update },
        maxBytes: MAX_BATCH_BYTES,
      },
      { signal },
    );
    const results = new Map(list(at(body, "update")).map((result) => [at(result, "id"), result]));
    return items.map((item) => outcomeOf(item, results.get(idsOf(item).id)));
  }

  return {
    kind: "woocommerce",
    maxBatch: settings.maxBatch,
    readThrottle,

    async push(items, signal) {
      const usable = items.filter(isUsable);
      const outcomes = await pushParts(usable, partsOf(usable, settings.maxBatch), (part) =>
        pushBatch(part, signal),
      );
      const byItem = new Map(usable.map((item, n) => [item, outcomes[n] ?? noResult(item)]));
      return items.map(
        (item) => byItem.get(item) ?? unusable(item, "product, or product/variation"),
      );
    },

    async list(cursor, signal) {
      const from = placeOf(cursor);
      const parent = from.parents[0];
      const path = parent === undefined ? "products" : `products/${parent}/variations`;
      const page = parent === undefined ? from.page : from.variationPage;
      const query = new URLSearchParams({
        per_page: String(PAGE),
        page: String(page),
        orderby: "id",
        order: "asc",
        _fields: "id,sku,type,stock_quantity,manage_stock",
      });
      const { body, headers: told } = await ask(
        { method: "GET", url: `${base}/${path}?${query}`, headers },
        { signal },
      );
      const products = list(body);
      const isLast = page >= Number(told["x-wp-totalpages"] ?? 1);
      const next =
        parent === undefined
          ? afterProducts(from, products, isLast)
          : afterVariations(from, isLast);
      return {
        items: products.flatMap((product) => listed(product, parent)),
        ...(next === undefined ? {} : { next: JSON.stringify(next) }),
      };
    },
  };
}

function outcomeOf(item: StockItem, result: unknown): ItemOutcome {
  if (result === undefined) return noResult(item);
  const error = at(result, "error");
  if (error === undefined) return confirmed(item);
  const code = text(at(error, "code")) ?? "unknown";
  const message = text(at(error, "message")) ?? "";
  return UNKNOWN.test(code) ? rejected(item, code, message) : failed(item, code, message);
}

const isUsable = ({ externalId }: StockItem) => /^\d{1,15}(\/\d{1,15})?$/.test(externalId);

function idsOf({ externalId }: StockItem): { parent: number | undefined; id: number } {
  const [first = 0, second] = externalId.split("/").map(Number);
  return second === undefined ? { parent: undefined, id: first } : { parent: first, id: second };
}

/** Products together, variations by their product: each is a batch of its own, as the API wants it. */
function* partsOf(items: readonly StockItem[], size: number): Generator<readonly StockItem[]> {
  const byParent = Map.groupBy(items, (item) => idsOf(item).parent);
  for (const group of byParent.values()) yield* slices(group, size);
}

/** Where listing has come to: a page of products, then the pages of each product that has variations. */
interface Place {
  readonly page: number;
  /** Those of the last page of products whose variations are still to be read. */
  readonly parents: readonly number[];
  readonly variationPage: number;
  readonly isLastPage: boolean;
}

const placeOf = (cursor: string | undefined): Place =>
  cursor === undefined
    ? { page: 1, parents: [], variationPage: 1, isLastPage: false }
    : (JSON.parse(cursor) as Place);

function afterProducts(from: Place, products: readonly unknown[], isLast: boolean) {
  const parents = products
    .filter((product) => at(product, "type") === "variable")
    .flatMap((product) => number(at(product, "id")) ?? []);
  return forward({ ...from, parents, variationPage: 1, isLastPage: isLast });
}

const afterVariations = (from: Place, isLast: boolean) =>
  isLast
    ? forward({ ...from, parents: from.parents.slice(1), variationPage: 1 })
    : { ...from, variationPage: from.variationPage + 1 };

/** The next page of products once no variations wait; nothing after the last. */
function forward(place: Place): Place | undefined {
  if (place.parents.length > 0) return place;
  return place.isLastPage ? undefined : { ...place, page: place.page + 1 };
}

/** One whose stock is not managed has none; that of a variation may be its product's, which is listed itself. */
function listed(product: unknown, parent: number | undefined): ListedItem[] {
  const id = text(at(product, "id"));
  const quantity = number(at(product, "stock_quantity"));
  const sku = text(at(product, "sku"));
  if (id === undefined || quantity === undefined || at(product, "manage_stock") !== true) return [];
  const externalId = parent === undefined ? id : `${parent}/${id}`;
  return [{ externalId, quantity, ...(sku === undefined || sku === "" ? {} : { sku }) }];
}
