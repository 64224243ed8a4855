import { LONGEST_WAIT_MS, type Throttle } from "./throttle.ts";

/** What is known of a remote's quota. Until it tells, there is none. */
export interface Bucket {
  /** In the remote's own units. */
  readonly capacity: number | null;
  readonly restorePerSecond: number | null;
  /** Left at `tokensAt`. */
  readonly tokens: number;
  readonly tokensAt: Date;
  /** It asked us to stay away until then. */
  readonly blockedUntil: Date | null;
  /** Of a quota by windows: when it is full again. */
  readonly resetsAt: Date | null;
}

export const unknownBucket: Bucket = {
  capacity: null,
  restorePerSecond: null,
  tokens: 0,
  tokensAt: new Date(0),
  blockedUntil: null,
  resetsAt: null,
};

/** A remote that refuses and tells no time. */
const UNTOLD_WAIT_MS = 5_000;

/** Ends of a window that differ by less are the same one, told over lines of uneven speed. */
const SAME_END_MS = 100;

export type Taken =
  | { readonly granted: number; readonly bucket: Bucket }
  | { readonly granted: 0; readonly waitMs: number };

/**
 * Take tokens: at least `need`, and up to `want` if they are there, for the calls that come next.
 *
 * @returns how many, or how long until there are enough
 */
export function take(
  bucket: Bucket,
  { need, want }: { readonly need: number; readonly want: number },
  now: Date,
): Taken {
  const blockedMs = (bucket.blockedUntil?.getTime() ?? 0) - now.getTime();
  if (blockedMs > 0) return { granted: 0, waitMs: blockedMs };
  if (bucket.capacity === null) return { granted: want, bucket };
  const filled = refilled(bucket, now);
  // Dearer than the whole bucket: the remote may take it when that is full.
  const enough = Math.min(need, bucket.capacity);
  if (filled.tokens >= enough) {
    const granted = Math.max(need, Math.min(want, Math.floor(filled.tokens)));
    return { granted, bucket: { ...filled, tokens: filled.tokens - granted } };
  }
  const { restorePerSecond, resetsAt } = filled;
  if (restorePerSecond !== null && restorePerSecond > 0)
    return { granted: 0, waitMs: Math.ceil(((enough - filled.tokens) / restorePerSecond) * 1_000) };
  if (resetsAt !== null) return { granted: 0, waitMs: resetsAt.getTime() - now.getTime() };
  return { granted: need, bucket: filled }; // nobody knows when: its answer will tell
}

/** What may be taken now; `null` as long as the remote told of no quota. */
export function quotaLeft(bucket: Bucket, now: Date): number | null {
  if (bucket.capacity === null) return null;
  if ((bucket.blockedUntil?.getTime() ?? 0) > now.getTime()) return 0;
  return Math.max(0, refilled(bucket, now).tokens);
}

/** The same under a quota that settings tell: full when it is seen first, and never more than they allow. */
export function withPreset(
  bucket: Bucket,
  preset: { readonly capacity: number; readonly restorePerSecond: number },
  now: Date,
): Bucket {
  const { capacity, restorePerSecond } = preset;
  if (bucket.capacity === null) return { ...bucket, ...preset, tokens: capacity, tokensAt: now };
  if (bucket.capacity === capacity && bucket.restorePerSecond === restorePerSecond) return bucket;
  return { ...bucket, ...preset, tokens: Math.min(bucket.tokens, capacity) };
}

/** What an answer told, put together with what was known. */
export function learn(bucket: Bucket, throttle: Throttle, now: Date): Bucket {
  const capacity = throttle.capacity ?? bucket.capacity;
  const restorePerSecond = throttle.restorePerSecond ?? bucket.restorePerSecond;
  const known = refilled({ ...bucket, capacity, restorePerSecond }, now);
  const untilReset = restorePerSecond === null ? throttle.resetMs : undefined;
  return {
    ...known,
    tokens: throttle.isThrottled ? 0 : tokensLeft(bucket, known, throttle),
    blockedUntil: later(bucket.blockedUntil, now, askedWaitMs(throttle, restorePerSecond)),
    resetsAt: untilReset === undefined ? known.resetsAt : within(now, untilReset),
  };
}

/**
 * Whether an answer changes what calls may do now; what is no news may as well be learned with a later one.
 *
 * @param slack tokens that others may have taken since the bucket was seen
 */
export function isNews(bucket: Bucket, throttle: Throttle, slack: number, now: Date): boolean {
  const { isThrottled, retryAfterMs, remaining, resetMs } = throttle;
  if (isThrottled || retryAfterMs !== undefined || bucket.capacity === null) return true;
  const { capacity = bucket.capacity, restorePerSecond = bucket.restorePerSecond } = throttle;
  if (capacity !== bucket.capacity || restorePerSecond !== bucket.restorePerSecond) return true;
  const known = refilled(bucket, now);
  if (remaining !== undefined && remaining + slack < known.tokens) return true;
  return restorePerSecond === null && resetMs !== undefined && endsLater(known, resetMs, now);
}

/** Some buckets tell when they are full again as if it were a window's end, and it moves away with each call. */
const endsLater = ({ resetsAt }: Bucket, resetMs: number, now: Date): boolean =>
  resetsAt === null || now.getTime() + resetMs > resetsAt.getTime() + SAME_END_MS;

/** How many tokens a second may go: what comes back, or what is left of a window over the rest of it. */
export function tokensPerSecond(bucket: Bucket, now: Date): number {
  if (bucket.restorePerSecond !== null) return bucket.restorePerSecond;
  const { tokens, resetsAt } = refilled(bucket, now);
  if (bucket.capacity === null || resetsAt === null) return 0;
  return tokens / Math.max(1, (resetsAt.getTime() - now.getTime()) / 1_000);
}

/** Whether an answer tells anything that is worth keeping. */
export const tells = (throttle: Throttle): boolean =>
  throttle.isThrottled ||
  throttle.retryAfterMs !== undefined ||
  throttle.remaining !== undefined ||
  throttle.capacity !== undefined;

function tokensLeft(before: Bucket, known: Bucket, { remaining }: Throttle): number {
  if (before.capacity === null) return remaining ?? known.capacity ?? 0;
  if (remaining === undefined) return known.tokens;
  // It tells whole ones, and has got a little more since: only a larger difference is news. More than
  // we know of is none: other processes have taken tokens, and not used them yet.
  return Math.min(known.tokens, remaining + 1);
}

function askedWaitMs(
  { isThrottled, retryAfterMs, resetMs }: Throttle,
  restorePerSecond: number | null,
): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  if (!isThrottled) return 0;
  return resetMs ?? (restorePerSecond ? Math.ceil(1_000 / restorePerSecond) : UNTOLD_WAIT_MS);
}

function refilled(bucket: Bucket, now: Date): Bucket {
  const { capacity, restorePerSecond, resetsAt } = bucket;
  if (capacity === null) return { ...bucket, tokensAt: now };
  if (restorePerSecond !== null) {
    const seconds = Math.max(0, now.getTime() - bucket.tokensAt.getTime()) / 1_000;
    const tokens = Math.min(capacity, bucket.tokens + seconds * restorePerSecond);
    return { ...bucket, tokens, tokensAt: now };
  }
  return resetsAt !== null && resetsAt <= now
    ? { ...bucket, tokens: capacity, tokensAt: now, resetsAt: null }
    : { ...bucket, tokensAt: now };
}

function later(until: Date | null, now: Date, waitMs: number): Date | null {
  const asked = within(now, waitMs);
  return waitMs > 0 && asked.getTime() > (until?.getTime() ?? 0) ? asked : until;
}

/** Headers are bounded where they are read; what stood in a body is not. */
const within = (now: Date, waitMs: number): Date =>
  new Date(now.getTime() + Math.min(LONGEST_WAIT_MS, waitMs));
