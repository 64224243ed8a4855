import { z } from "zod";
import { addresses, endpoint, secret } from "./fields.ts";

/** A listing's external id is its inventory item: `gid://shopify/InventoryItem/123`, or `123`. */
export const shopify = {
  settings: z.object({
    shop: z
      .string()
      .max(255)
      .regex(/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/, "must look like name.myshopify.com")
      .meta({ description: "The shop's own domain at Shopify.", example: "acme.myshopify.com" })
      .register(addresses),
    locationId: z
      .string()
      .regex(/^(gid:\/\/shopify\/Location\/)?\d{1,20}$/, "must be the number of a location")
      .meta({
        description: "The location whose stock is set.",
        example: "gid://shopify/Location/7",
      }),
    compareAndSet: z.boolean().default(false).meta({
      description:
        "Set a quantity only where Shopify still holds what it last confirmed to us. Without it our stock wins over a sale that we have not heard of.",
    }),
    endpoint: endpoint(),
  }),
  credentials: z.object({
    accessToken: secret("Admin API access token with write_inventory and read_inventory."),
  }),
};
