import { z } from "zod";
import { defineJob } from "../job.ts";
import { marketplaceSync } from "../queues.ts";

/**
 * Put a listing that its marketplace refused for good back among those to be told.
 *
 * Nobody asks for it at first: it is written down as dead in the moment its listing is parked, so that an
 * item that can never work has a letter of its own. Replaying that letter takes the listing out of the park.
 */
export const pushListing = defineJob({
  queue: marketplaceSync,
  name: "push-listing",
  version: 1,
  payload: z.object({
    accountId: z.uuid().toLowerCase(),
    sku: z.string().min(1).max(100),
  }),
  result: z.object({
    /** It was parked and will be told; otherwise somebody else took it out already. */
    unparked: z.boolean(),
  }),
  priority: 10,
  slot: ({ accountId, sku }) => `${accountId}:${sku}`,
  subject: ({ accountId }) => `marketplace-account:${accountId}`,
});
