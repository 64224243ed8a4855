/** What a request finds: it may go on, or it has to wait. */
export interface BucketAnswer {
  readonly granted: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Until a token is there; 0 if one was granted. */
  readonly retryAfterMs: number;
  /** Until the bucket is full again. */
  readonly resetMs: number;
}

/** A quota: `capacity` requests at once, then `perSecond`. Time comes from `now`, in milliseconds. */
export function tokenBucket(
  capacity: number,
  perSecond: number,
  now: () => number = () => performance.now(),
): () => BucketAnswer {
  let tokens = capacity;
  let filledAt = now();
  return () => {
    const time = now();
    tokens = Math.min(capacity, tokens + ((time - filledAt) / 1_000) * perSecond);
    filledAt = time;
    const granted = tokens >= 1;
    if (granted) tokens -= 1;
    return {
      granted,
      remaining: Math.floor(tokens),
      retryAfterMs: granted ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1_000),
      resetMs: Math.ceil(((capacity - tokens) / perSecond) * 1_000),
    };
  };
}
