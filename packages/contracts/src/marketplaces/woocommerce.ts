import { z } from "zod";
import { remoteUrl, secret } from "./fields.ts";

/** A listing's external id is its product, `123`, or a variation of a product, `123/456`. */
export const woocommerce = {
  settings: z.object({
    url: remoteUrl("The shop's address; its REST API is found below it."),
    maxBatch: z.int().min(1).max(100).default(100).meta({
      description: "Items in one call: WooCommerce takes 100 unless the shop changed it.",
    }),
  }),
  credentials: z.object({
    consumerKey: secret("REST API key, ck_…, with read and write permission."),
    consumerSecret: secret("The key's secret, cs_…."),
  }),
};
