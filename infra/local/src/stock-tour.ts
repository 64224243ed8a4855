import { setTimeout as pause } from "node:timers/promises";
import type { MarketplaceDouble } from "@ballast/testing";
import type { ApiClient } from "./api-client.ts";
import { nordlicht } from "./sample/companies.ts";
import { sampleProducts } from "./sample/products.ts";
import { say } from "./say.ts";

export interface StockTourResult {
  readonly articles: number;
  /** Calls that wrote stock. */
  readonly calls: number;
  /** Answers that refused for the quota. */
  readonly throttled: number;
  /** From the change to the last article on the marketplace. */
  readonly ms: number;
}

/** The same in each tour, so that a later one finds the account rather than another. */
const ACCOUNT = "/v1/marketplace-accounts/0190c1a2-0000-7000-8000-00000000ac01";
/** Small batches, so that the quota is felt. */
const BATCH = 10;
const DEADLINE_MS = 60_000;

/** Change the stock of a company's articles and watch it reach a marketplace that throttles. */
export async function stockTour(
  api: ApiClient,
  marketplace: MarketplaceDouble,
  signal: AbortSignal,
): Promise<StockTourResult> {
  const { settings, credentials } = marketplace.account;
  const push = { ...(settings as { push: object }).push, maxBatch: BATCH };
  await api.call("PUT", ACCOUNT, {
    body: {
      companyId: nordlicht.id,
      kind: marketplace.kind,
      name: "Marketplace double",
      settings: { ...settings, push },
      credentials,
    },
  });
  const skus = sampleProducts.filter((one) => one.companyId === nordlicht.id).map(({ sku }) => sku);
  const listings = skus.map((sku) => ({ sku, externalId: marketplace.externalId(sku) }));
  await api.call("PUT", `${ACCOUNT}/listings`, { body: { listings } });

  const began = performance.now();
  // Other quantities than in any tour before, or nothing would have to be told.
  const first = Math.floor(Date.now() / 1_000) % 1_000_000;
  const items = skus.map((sku, index) => ({ sku, quantity: first + index }));
  await api.call("POST", "/v1/stock", { body: { companyId: nordlicht.id, items } });
  while (items.some(({ sku, quantity }) => marketplace.stock.get(sku) !== quantity)) {
    if (performance.now() - began > DEADLINE_MS)
      throw new Error(`the marketplace does not have all stock after ${DEADLINE_MS / 1_000} s`);
    await pause(50, undefined, { signal });
  }
  const ms = Math.round(performance.now() - began);
  const { writes: calls, throttled } = marketplace.counts();
  say(
    `stock of ${items.length} articles at a marketplace that throttles: ${calls} calls at its pace, ${throttled} refused, ${ms} ms`,
  );
  return { articles: items.length, calls, throttled, ms };
}
