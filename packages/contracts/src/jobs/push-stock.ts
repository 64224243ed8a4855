import { z } from "zod";
import { defineJob } from "../job.ts";
import { marketplaceSync } from "../queues.ts";

/** What an urgent change asks with, so that its account's push overtakes those of others. */
export const URGENT_PRIORITY = 0;

/**
 * Tell one marketplace account the stock that it does not have yet.
 *
 * Names no SKU: what is to be told stands in the listings, and wishes that come meanwhile collapse into one
 * more run. Quantities are absolute, so telling twice does no harm. Ends with its backlog, or after a time
 * budget with a wish for the next.
 */
export const pushStock = defineJob({
  queue: marketplaceSync,
  name: "push-stock",
  version: 1,
  payload: z.object({ accountId: z.uuid().toLowerCase() }),
  result: z.object({
    /** Batches that were handed to the marketplace. */
    batches: z.int().min(0),
    confirmed: z.int().min(0),
    /** To be tried again. */
    failed: z.int().min(0),
    /** Parked, since they can never work. */
    rejected: z.int().min(0),
    /** Why nothing, or not everything, was told. */
    left: z.enum(["nothing", "paused", "coalescing", "time_budget", "failed_items"]),
  }),
  // A feed of Amazon is waited for up to 15 minutes: an attempt that ends sooner posts another one, and hears of none.
  timeoutMs: 20 * 60_000,
  priority: 10,
  slot: ({ accountId }) => accountId,
  subject: ({ accountId }) => `marketplace-account:${accountId}`,
});
