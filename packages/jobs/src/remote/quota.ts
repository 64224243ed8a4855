import { setTimeout as pause } from "node:timers/promises";
import { RateLimitedError } from "../errors.ts";
import { type Bucket, isNews, learn, take, tells, tokensPerSecond, withPreset } from "./bucket.ts";
import type { Remote, RemoteStore } from "./store.ts";
import type { Throttle } from "./throttle.ts";

/** A quota that settings tell, since answers do not. */
export interface Preset {
  readonly capacity: number;
  readonly restorePerSecond: number;
}

/** What this process holds of a quota that all processes share. */
interface Quota {
  /**
   * Wait a short, bounded time for as much as a call costs.
   *
   * @throws {RateLimitedError} with the exact wait, if there is none so soon
   */
  take(cost: number, signal: AbortSignal): Promise<void>;
  /** Take in what an answer told; at once where it changes what calls may do, else once in a while. */
  learn(throttle: Throttle, cost: number): Promise<void>;
}

/** A call waits so long for quota rather than send its job away. */
const LONGEST_WAIT_MS = 2_000;
/** Tokens taken at once: those of a quarter of a second, so that what is taken and not used is little. */
const LEASE_SECONDS = 0.25;
/** Answers that tell nothing new are learned this seldom: each costs a write of a row that all share. */
const LEARN_EVERY_MS = 1_000;

/** The quota of a remote, a lease of it at a time, so that most calls ask nobody. */
export function openQuota(store: RemoteStore, remote: Remote, preset?: Preset): Quota {
  let left = 0;
  let taking: Promise<number> = Promise.resolve(0);
  let wanted = 1;
  /** As the store was last seen to hold it. */
  let seen: { readonly bucket: Bucket; readonly skewMs: number } | undefined;
  let learnedAt = Number.NEGATIVE_INFINITY;

  const now = () => new Date(Date.now() + (seen?.skewMs ?? 0));
  const see = (bucket: Bucket, at: Date) => {
    seen = { bucket, skewMs: at.getTime() - Date.now() };
  };
  /** @returns milliseconds to wait; 0 once there are tokens */
  const fetch = (need: number) =>
    store.change(remote, ({ bucket: kept }, at) => {
      const bucket = preset === undefined ? kept : withPreset(kept, preset, at);
      wanted = Math.max(1, Math.floor(tokensPerSecond(bucket, at) * LEASE_SECONDS));
      const taken = take(bucket, { need, want: Math.max(need, wanted) }, at);
      if ("waitMs" in taken) return { answer: taken.waitMs };
      left += taken.granted;
      see(taken.bucket, at);
      return { ...(taken.bucket === kept ? {} : { state: { bucket: taken.bucket } }), answer: 0 };
    });
  /** What was taken of a window and not used is worth nothing in the next. */
  const forgetOldWindow = () => {
    const resetsAt = seen?.bucket.resetsAt ?? null;
    if (resetsAt !== null && resetsAt <= now()) left = Math.min(left, 0);
  };

  return {
    async take(cost, signal) {
      const deadline = performance.now() + LONGEST_WAIT_MS;
      forgetOldWindow();
      while (left < cost) {
        // One after the other, or each would fetch for itself what one fetches for all.
        const turn = taking.catch(() => 0).then(() => (left >= cost ? 0 : fetch(cost - left)));
        taking = turn;
        const waitMs = await turn;
        if (waitMs === 0) continue;
        if (performance.now() + waitMs > deadline)
          throw new RateLimitedError(
            "quota_used_up",
            `the quota of ${remote.kind} ${remote.key} is used up; there is more in ${waitMs} ms`,
            { retryAfterMs: waitMs },
          );
        await pause(waitMs, undefined, { signal });
      }
      left -= cost;
    },
    async learn(throttle, cost) {
      left -= (throttle.cost ?? cost) - cost;
      if (throttle.isThrottled || throttle.retryAfterMs !== undefined) left = 0;
      if (!tells(throttle)) return;
      const isDue = performance.now() - learnedAt >= LEARN_EVERY_MS;
      if (!isDue && seen !== undefined && !isNews(seen.bucket, throttle, wanted, now())) return;
      learnedAt = performance.now();
      // Known before it is written, or each answer that comes meanwhile would write the same.
      if (seen !== undefined) seen = { ...seen, bucket: learn(seen.bucket, throttle, now()) };
      await store.change(remote, ({ bucket: kept }, at) => {
        const bucket = learn(kept, throttle, at);
        see(bucket, at);
        return { state: { bucket }, answer: undefined };
      });
    },
  };
}
