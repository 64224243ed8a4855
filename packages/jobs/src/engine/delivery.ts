import type { Job } from "bullmq";
import type { Delivery } from "./engine.ts";
import { isOurs } from "./ours.ts";

/** One start of a BullMQ job, in the runtime's words. */
export function deliveryOf(job: Job): Delivery {
  const createdMs = momentOf(job.timestamp);
  return {
    engineJobId: job.id ?? "",
    // Whoever writes into Redis by hand may leave it out.
    name: job.name ?? "",
    data: job.data,
    attemptsMade: job.attemptsMade,
    stallCount: job.stalledCounter,
    isFirst: job.attemptsStarted === 1,
    isOurs: isOurs(job.opts),
    createdAt: new Date(createdMs),
    readyAt: new Date(createdMs + (job.attemptsStarted <= 1 ? momentOf(job.opts.delay ?? 0) : 0)),
  };
}

/** The end of the year 9999, the last that PostgreSQL and ISO 8601 write alike. */
const LAST_MS = 253_402_300_799_999;

/** Producers set times themselves; one that is no time counts as long ago, so that its deadline has passed. */
export const momentOf = (ms: number): number => (ms >= 0 && ms <= LAST_MS ? Math.trunc(ms) : 0);
