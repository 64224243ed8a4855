import { z } from "zod";
import { endpoint, secret } from "./fields.ts";

/** A listing's external id is the SKU of eBay's inventory item. */
export const ebay = {
  settings: z.object({
    sandbox: z.boolean().default(false).meta({ description: "Speak to eBay's sandbox instead." }),
    endpoint: endpoint(),
  }),
  credentials: z.object({
    clientId: secret("The application's App ID."),
    clientSecret: secret("The application's Cert ID."),
    refreshToken: secret("The seller's refresh token with the scope sell.inventory."),
  }),
};
