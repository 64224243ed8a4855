import type { Edit } from "./sabotage/sabotage.ts";

/** Clocks that run faster than shipped, for short drills: what they wait for is the same, only sooner. */

/** Worked on elsewhere within 5 s of a worker's death, instead of 12 s or the 30 s of mails and alerts. */
const quickLock = (queue: string, lockMs: string, stalledMs: string): Edit => ({
  file: "packages/contracts/src/queues.ts",
  find: `defineQueue("${queue}", {
  lockDurationMs: ${lockMs},
  stalledIntervalMs: ${stalledMs},`,
  replace: `defineQueue("${queue}", {
  lockDurationMs: 3_000,
  stalledIntervalMs: 1_000,`,
});
export const quickDrillLock = quickLock("drill", "6_000", "3_000");
export const quickPdfLock = quickLock("pdf", "6_000", "3_000");
export const quickEmailLock = quickLock("email", "20_000", "5_000");
export const quickAlertLock = quickLock("dead-letter", "20_000", "5_000");

/** Nobody knows what became of a mail 5 s after its sender fell silent, instead of 90 s. */
export const quickClaim: Edit = {
  file: "apps/email-worker/src/handlers/mail-ledger.ts",
  find: "const LEASE_MS = 90_000;",
  replace: "const LEASE_MS = 5_000;",
};

/** Sweeps the failed sets every 3 s instead of every 15 s, for deaths older than 2 s instead of 10 s. */
export const eagerSweep: readonly Edit[] = [
  {
    file: "apps/dlq-notifier/src/rounds/sweeping.ts",
    find: "const EVERY_MS = 15_000;",
    replace: "const EVERY_MS = 3_000;",
  },
  {
    file: "packages/jobs/src/failed-sweep.ts",
    find: "const GRACE_MS = 10_000;",
    replace: "const GRACE_MS = 2_000;",
  },
];

/** Looks at the engine each second instead of every 15 s; how long a silence lasts stays as it is. */
export const eagerReconciler: Edit = {
  file: "packages/jobs/src/reconciler.ts",
  find: "const DEFAULTS = { silentMs: 60_000, everyMs: 15_000 };",
  replace: "const DEFAULTS = { silentMs: 60_000, everyMs: 1_000 };",
};

/** Takes a run for lost after 5 s of silence instead of 60 s, and looks each second. */
export const impatientReconciler: Edit = {
  ...eagerReconciler,
  replace: "const DEFAULTS = { silentMs: 5_000, everyMs: 1_000 };",
};

/** Asks every 3 s instead of every 30 s whether a newer worker is there. */
export const impatientForRollout: Edit = {
  file: "packages/jobs/src/attempt.ts",
  find: "const NEWER_WAIT_MS = 30_000;",
  replace: "const NEWER_WAIT_MS = 3_000;",
};

/** Takes a PostgreSQL that owes an answer for gone after 5 s instead of 35 s, as system of record and as engine. */
export const quickSilence: readonly Edit[] = [
  "packages/database/src/database.ts",
  "packages/jobs/src/engine/postgres-pool.ts",
].map((file) => ({
  file,
  find: "const SILENCE_MS = STATEMENT_TIMEOUT_MS + 5_000;",
  replace: "const SILENCE_MS = 5_000;",
}));
