import type { Backlog } from "@ballast/database";

/** What is known of how an account is called. */
export interface Circumstances {
  readonly now: Date;
  /** Calls, or points, that come back each second. */
  readonly restorePerSecond: number | null;
  /** Items that one call takes. */
  readonly maxBatch: number | null;
  /** It is not called before this moment. */
  readonly awayUntil: Date | null;
}

export interface Forecast {
  readonly itemsPerSecond: number;
  readonly caughtUpAt: Date;
}

/**
 * When a backlog is told, at the pace of the last minute; where nothing was told then, at the pace that the quota
 * allows, a call for a unit of it. Pure.
 *
 * @returns `null` where neither is known
 */
export function forecastOf(
  { dirty, confirmedLastMinute }: Pick<Backlog, "dirty" | "confirmedLastMinute">,
  { now, restorePerSecond, maxBatch, awayUntil }: Circumstances,
): Forecast | null {
  const measured = confirmedLastMinute / 60;
  const itemsPerSecond = measured > 0 ? measured : (restorePerSecond ?? 0) * (maxBatch ?? 0);
  if (dirty === 0) return { itemsPerSecond, caughtUpAt: now };
  if (itemsPerSecond === 0) return null;
  const from = Math.max(now.getTime(), awayUntil?.getTime() ?? 0);
  return {
    itemsPerSecond,
    caughtUpAt: new Date(from + Math.ceil((dirty / itemsPerSecond) * 1_000)),
  };
}
