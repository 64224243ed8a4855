import { z } from "zod";
import { endpoint, remoteUrl, secret } from "./fields.ts";

/** A listing's external id is the seller's SKU at Amazon. */
export const amazon = {
  settings: z.object({
    region: z.enum(["na", "eu", "fe"]).meta({
      description: "Which of Amazon's three regions: North America, Europe, Far East.",
    }),
    marketplaceId: z
      .string()
      .regex(/^[A-Z0-9]{10,20}$/, "must be an id such as A1PA6795UKMFR9")
      .meta({ description: "The marketplace that is sold on.", example: "A1PA6795UKMFR9" }),
    sellerId: z
      .string()
      .regex(/^[A-Z0-9]{5,40}$/, "must be a merchant token such as A2EXAMPLE")
      .meta({ description: "The seller's merchant token.", example: "A2EXAMPLE" }),
    feedFrom: z.int().min(2).max(10_000).default(600).meta({
      description:
        "From how many changed items on one feed replaces a call for each. A feed takes minutes whatever its size; calls take 5 items a second.",
    }),
    appRequestsPerSecond: z.number().positive().max(100_000).default(500).meta({
      description:
        "Calls a second that the application may make, over all the sellers it works for; Amazon's own limit unless it was raised.",
    }),
    endpoint: endpoint(),
    loginEndpoint: remoteUrl(
      "Base address of Login with Amazon, if it is not the public one.",
    ).optional(),
  }),
  credentials: z.object({
    clientId: secret("Login with Amazon: the application's client id."),
    clientSecret: secret("Login with Amazon: the application's client secret."),
    refreshToken: secret("The seller's refresh token, Atzr|…."),
  }),
};
