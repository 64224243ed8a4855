import { z } from "zod";
import { defineJob } from "../job.ts";
import { marketplaceSync } from "../queues.ts";

const count = z.int().min(0);

/**
 * Compare what one marketplace account holds with what we hold and with what it last confirmed, and mend
 * what drifted.
 *
 * Safe to run twice: the second finds the corrections of the first on their way, and leaves them alone.
 */
export const reconcileStock = defineJob({
  queue: marketplaceSync,
  name: "reconcile-stock",
  version: 1,
  payload: z.object({ accountId: z.uuid().toLowerCase() }),
  result: z.object({
    /** The report that tells which; `null` if the account is paused. */
    reportId: z.uuid().nullable(),
    compared: count,
    drifted: count,
    corrected: count,
    /** Drifted again after as many corrections as its account allows. */
    givenUp: count,
    /** Ours, and not listed there. */
    missing: count,
  }),
  // Some marketplaces list 50 articles a call, at a call or two a second.
  timeoutMs: 30 * 60_000,
  priority: 20,
  slot: ({ accountId }) => accountId,
  subject: ({ accountId }) => `marketplace-account:${accountId}`,
});
