/** Where a replay's pace stands. */
export interface Pace {
  readonly ratePerSecond: number;
  /** Since when it is reckoned. */
  readonly from: Date;
  /** Letters since then. */
  readonly count: number;
}

/** What the fastest replay may take at once: all that are driven side by side take no more. */
const MOST_OF_ALL = 1_000;

/**
 * How many letters are due now, so that the rate is held over any stretch of time.
 *
 * @param sideBySide replays that are driven at once, this one among them
 * @returns a whole number from 0; at most one second's worth, or 1: what was missed in a pause is not made
 *   up for in a burst
 */
export function lettersDue(
  { ratePerSecond, from, count }: Pace,
  now: Date,
  sideBySide = 1,
): number {
  const elapsedSeconds = Math.max(0, now.getTime() - from.getTime()) / 1_000;
  const due = Math.floor(elapsedSeconds * ratePerSecond) - count;
  const share = Math.ceil(MOST_OF_ALL / sideBySide);
  return Math.max(0, Math.min(due, mostAtOnce(ratePerSecond), share));
}

/** Whether so much was missed that the pace is to be reckoned anew. */
export const isFarBehind = ({ ratePerSecond, from, count }: Pace, now: Date): boolean =>
  ((now.getTime() - from.getTime()) / 1_000) * ratePerSecond - count >
  3 * mostAtOnce(ratePerSecond);

const mostAtOnce = (ratePerSecond: number): number => Math.max(1, Math.ceil(ratePerSecond));
