/** What a request finds: it may go on, or it has to wait. */
export interface BucketAnswer {
  readonly granted: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Until there is enough; 0 if it was granted. */
  readonly retryAfterMs: number;
  /** Until the bucket is full again. */
  readonly resetMs: number;
}

/**
 * A quota: `capacity` tokens at once, then `perSecond`. A request takes one, or as many as it costs. Time
 * comes from `now`, in milliseconds.
 */
export function tokenBucket(
  capacity: number,
  perSecond: number,
  now: () => number = () => performance.now(),
): (cost?: number) => BucketAnswer {
  let tokens = capacity;
  let filledAt = now();
  return (cost = 1) => {
    const time = now();
    tokens = Math.min(capacity, tokens + ((time - filledAt) / 1_000) * perSecond);
    filledAt = time;
    const granted = tokens >= cost;
    if (granted) tokens -= cost;
    return {
      granted,
      remaining: Math.floor(tokens),
      retryAfterMs: granted ? 0 : Math.ceil(((cost - tokens) / perSecond) * 1_000),
      resetMs: Math.ceil(((capacity - tokens) / perSecond) * 1_000),
    };
  };
}
