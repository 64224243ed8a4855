import type { Edit } from "./sabotage/sabotage.ts";

/** Clocks that run faster than shipped, for short drills: what they wait for is the same, only sooner. */

/** Worked on elsewhere within 5 s of a worker's death instead of 12 s. */
export const quickDrillLock: Edit = {
  file: "packages/contracts/src/queues.ts",
  find: `export const drill = defineQueue("drill", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,`,
  replace: `export const drill = defineQueue("drill", {
  lockDurationMs: 3_000,
  stalledIntervalMs: 1_000,`,
};

/** Looks at the engine each second instead of every 15 s; how long a silence lasts stays as it is. */
export const eagerReconciler: Edit = {
  file: "packages/jobs/src/reconciler.ts",
  find: "const DEFAULTS = { silentMs: 60_000, everyMs: 15_000 };",
  replace: "const DEFAULTS = { silentMs: 60_000, everyMs: 1_000 };",
};

/** Asks every 3 s instead of every 30 s whether a newer worker is there. */
export const impatientForRollout: Edit = {
  file: "packages/jobs/src/attempt.ts",
  find: "const NEWER_WAIT_MS = 30_000;",
  replace: "const NEWER_WAIT_MS = 3_000;",
};
