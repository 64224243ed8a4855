import { z } from "zod";
import { defineJob } from "../job.ts";
import { email } from "../queues.ts";

/**
 * Look for invoices whose reminder nobody asked for, or lost, and ask for it. Each day, by schedule.
 *
 * Safe to run twice: what is asked for already, or mailed, is left alone.
 */
export const remindDebtors = defineJob({
  queue: email,
  name: "remind-debtors",
  version: 1,
  payload: z.object({
    /** How far ahead to look. */
    days: z.int().min(1).max(30).default(2),
  }),
  result: z.object({ asked: z.int().min(0) }),
  timeoutMs: 120_000,
  priority: 20,
  slot: () => "all",
});
