import type { InvoiceRunCounts } from "@ballast/database";

/** By what the pace of a run is judged. */
const WINDOW_SECONDS = 60;

/**
 * How long the rest takes at the pace of the last minute.
 *
 * @param begunAt since when invoices are dealt with, or dealt with again
 * @returns seconds; `null` while nothing ended lately, since nobody knows
 */
export function secondsLeft(
  { pending, asked, endedLately }: Pick<InvoiceRunCounts, "pending" | "asked" | "endedLately">,
  begunAt: Date,
  now: Date,
): number | null {
  const left = pending + asked;
  if (left === 0) return 0;
  if (endedLately === 0) return null;
  const elapsedSeconds = Math.max(0.001, (now.getTime() - begunAt.getTime()) / 1_000);
  const perSecond = endedLately / Math.min(WINDOW_SECONDS, elapsedSeconds);
  return Math.ceil(left / perSecond);
}
