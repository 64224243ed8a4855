import { z } from "zod";

/** The marketplaces whose API is spoken; `generic-rest` is any other, described by its settings. */
export const MarketplaceKind = z.enum(["shopify", "woocommerce", "amazon", "ebay", "generic-rest"]);
export type MarketplaceKind = z.output<typeof MarketplaceKind>;
