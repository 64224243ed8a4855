import { type MarketplaceDouble, startMarketplaceDouble } from "@ballast/testing";
import { sampleProducts } from "./sample/products.ts";

/** A marketplace that knows the sample's products, all out of stock. */
export const startMarketplace = (): Promise<MarketplaceDouble> =>
  startMarketplaceDouble({
    stock: Object.fromEntries(sampleProducts.map(({ sku }) => [sku, 0])),
  });
