import { z } from "zod";
import { amazon } from "./amazon.ts";
import { ebay } from "./ebay.ts";
import { addresses } from "./fields.ts";
import { genericRest } from "./generic-rest.ts";
import type { MarketplaceKind } from "./kind.ts";
import { shopify } from "./shopify.ts";
import { woocommerce } from "./woocommerce.ts";

/** What an account of each kind is set up by. */
export const marketplaces = {
  shopify,
  woocommerce,
  amazon,
  ebay,
  "generic-rest": genericRest,
} as const satisfies Record<
  MarketplaceKind,
  { readonly settings: z.ZodObject; readonly credentials: z.ZodObject }
>;

export type MarketplaceSettings<Kind extends MarketplaceKind> = z.output<
  (typeof marketplaces)[Kind]["settings"]
>;
export type MarketplaceCredentials<Kind extends MarketplaceKind> = z.output<
  (typeof marketplaces)[Kind]["credentials"]
>;

/** The credential fields of a kind: every one of them is private. */
export const credentialFields = (kind: MarketplaceKind): readonly string[] =>
  Object.keys(marketplaces[kind].credentials.shape);

/** The settings of a kind that decide where its credentials are sent: where one changes, they are to be given again. */
export const addressFields = (kind: MarketplaceKind): readonly string[] =>
  Object.entries<z.ZodType>(marketplaces[kind].settings.shape)
    .filter(([, field]) => addresses.has(field instanceof z.ZodOptional ? field.unwrap() : field))
    .map(([name]) => name);
