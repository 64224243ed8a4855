/** Fewer ends than this say nothing about a share. */
const SMALLEST_SAMPLE = 20;

export interface Ends {
  /** Replayed runs that are over. */
  readonly ended: number;
  /** Of these, those that died of the same cause again. */
  readonly diedAgain: number;
}

/**
 * Why a replay must stop: its cause is still there. `undefined` while it may go on.
 *
 * @param isCanary whether all that were to go ahead have ended, so that they are judged however few
 */
export function stopReason(
  { ended, diedAgain }: Ends,
  stopShare: number,
  isCanary: boolean,
): string | undefined {
  if (ended === 0 || (!isCanary && ended < SMALLEST_SAMPLE)) return undefined;
  if (diedAgain / ended <= stopShare) return undefined;
  return `${diedAgain} of ${ended} ${isCanary ? "that went ahead" : "runs"} died of the same cause again, more than ${Math.round(stopShare * 100)} %: it is not mended yet`;
}
