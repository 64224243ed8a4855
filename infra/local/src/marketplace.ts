import { type MarketplaceDouble, startMarketplaceDouble } from "@ballast/testing";
import { sampleProducts } from "./sample/products.ts";

/** A marketplace that knows the sample's products, all out of stock, and takes five calls a second. */
export const startMarketplace = (): Promise<MarketplaceDouble> =>
  startMarketplaceDouble({
    quota: { burst: 2, perSecond: 5 },
    stock: Object.fromEntries(sampleProducts.map(({ sku }) => [sku, 0])),
  });
