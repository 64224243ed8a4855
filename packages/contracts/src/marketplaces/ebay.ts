import { z } from "zod";
import { endpoint, secret } from "./fields.ts";

/** A listing's external id is the SKU of eBay's inventory item, `SKU`, or one of its offers, `SKU/offerId`. */
export const ebay = {
  settings: z.object({
    sandbox: z.boolean().default(false).meta({ description: "Speak to eBay's sandbox instead." }),
    dailyCalls: z.int().min(24).max(1_000_000_000).optional().meta({
      description:
        "Calls a day that eBay grants the application, over all its accounts: they are spread over the day. Left out: it is called until eBay refuses.",
    }),
    endpoint: endpoint(),
  }),
  credentials: z.object({
    clientId: secret("The application's App ID."),
    clientSecret: secret("The application's Cert ID."),
    refreshToken: secret("The seller's refresh token with the scope sell.inventory."),
  }),
};
