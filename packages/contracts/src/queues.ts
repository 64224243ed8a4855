import { defineQueue } from "./queue.ts";

/** Rendering; a second run overwrites an equal document, so the lock may be short. */
export const pdf = defineQueue("pdf", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,
  concurrency: 2,
});

/** Mail; its ledger, not its lock, prevents doubles. */
export const email = defineQueue("email", {
  lockDurationMs: 20_000,
  stalledIntervalMs: 5_000,
  concurrency: 5,
});

/** No service consumes this queue: drills and benchmarks bring their own worker. */
export const drill = defineQueue("drill", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,
  concurrency: 50,
});

/**
 * What tells people about deaths. Its own deaths raise no alert, or a dead channel would alert about itself.
 * More at a time than all channels together take from one process, so that none waits for another.
 */
export const deadLetter = defineQueue("dead-letter", {
  lockDurationMs: 20_000,
  stalledIntervalMs: 5_000,
  concurrency: 15,
});

/**
 * Marketplaces. A second run tells the same stock again, so the lock may be short. As many at a time as there
 * are accounts at work, since each mostly waits for its marketplace: one that hangs must not hold up the others.
 */
export const marketplaceSync = defineQueue("marketplace-sync", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,
  concurrency: 50,
});
