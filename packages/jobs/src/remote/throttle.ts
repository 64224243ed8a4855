/** What a remote's answer told about its quota; whatever it did not tell is absent. */
export interface Throttle {
  /** This very answer refused us for the quota: 429, or THROTTLED inside a 200, or a 422 that means it. */
  readonly isThrottled: boolean;
  /** Asked by `Retry-After`, or by what is missing in a cost bucket; to be honoured to the second. */
  readonly retryAfterMs?: number;
  /** Size of the bucket, in the remote's own units: points, requests. */
  readonly capacity?: number;
  /** Units left now. */
  readonly remaining?: number;
  /** Units that come back each second. */
  readonly restorePerSecond?: number;
  /** Until the window is full again. */
  readonly resetMs?: number;
  /** Units that this call really cost. */
  readonly cost?: number;
}

/** A wait that is longer outlives every job that could wait for it. */
export const LONGEST_WAIT_MS = 24 * 3_600_000;
/** Seconds since 1970 rather than from now; as a wait it would be 30 years. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/**
 * What headers tell: `Retry-After` in seconds or as a date, IETF's `RateLimit` and `RateLimit-Policy`, their
 * forerunners `RateLimit-Limit`, `-Remaining`, `-Reset`, and the same with `x-` in front, whose reset is a wait
 * or a moment.
 *
 * @param headers names in lower case
 * @param now milliseconds since 1970
 */
export function throttleFromHeaders(
  status: number,
  headers: Readonly<Record<string, string>>,
  now: number,
): Throttle {
  const either = (name: string) => headers[`ratelimit-${name}`] ?? headers[`x-ratelimit-${name}`];
  const combined = headers["ratelimit"] ?? "";
  const policy = headers["ratelimit-policy"] ?? "";
  const retryAfterMs = retryAfter(headers["retry-after"], now);
  const quota = parameter(policy, "q") ?? firstNumber(policy);
  const windowSeconds = parameter(policy, "w");
  const capacity = firstNumber(either("limit")) ?? parameter(combined, "limit") ?? quota;
  const remaining =
    firstNumber(either("remaining")) ??
    parameter(combined, "r") ??
    parameter(combined, "remaining");
  const resetMs = untilReset(
    firstNumber(either("reset")) ?? parameter(combined, "t") ?? parameter(combined, "reset"),
    now,
  );
  const restorePerSecond =
    quota !== undefined && windowSeconds !== undefined && windowSeconds > 0
      ? quota / windowSeconds
      : undefined;
  return {
    isThrottled: status === 429,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(restorePerSecond === undefined ? {} : { restorePerSecond }),
    ...(resetMs === undefined ? {} : { resetMs }),
  };
}

/** Whole seconds, or a date of HTTP; a date that has passed is no wait. */
function retryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Math.min(LONGEST_WAIT_MS, Number(text) * 1_000);
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : bounded(at - now);
}

function untilReset(value: number | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (value >= EPOCH_MS) return bounded(value - now);
  if (value >= EPOCH_SECONDS) return bounded(value * 1_000 - now);
  return bounded(value * 1_000);
}

const bounded = (ms: number): number => Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(ms)));

/** `100`, or the first of `100, 100;w=60`. */
function firstNumber(header: string | undefined): number | undefined {
  const found = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*(?:[,;]|$)/.exec(header ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}

/** `r` of `"default";r=50;t=30`, `remaining` of `limit=100, remaining=50`. */
function parameter(header: string, name: string): number | undefined {
  const found = new RegExp(`(?:^|[;,\\s])${name}=(\\d{1,15})(?:[;,\\s]|$)`).exec(header)?.[1];
  return found === undefined ? undefined : Number(found);
}
