import type { JobError, RemoteGuard, Throttle } from "@ballast/jobs";
import { failureOf, limited, notJson } from "../http/failures.ts";
import type { RemoteHttp, RemoteRequest, RemoteResponse } from "../http/remote-http.ts";

export interface AskOptions {
  readonly signal: AbortSignal;
  /** In the remote's own units. Default 1; 0 for calls that its quota does not count. */
  readonly cost?: number;
  /** Answers that are no failure although their status is; they come back as they are. */
  readonly tolerates?: (response: RemoteResponse) => boolean;
  /** Its quota is another one than the account's: a throttle is honoured, its numbers are not learned. */
  readonly ownQuota?: boolean;
  /** An empty or foreign body is fine. */
  readonly anyBody?: boolean;
}

export type Ask = (request: RemoteRequest, options: AskOptions) => Promise<RemoteResponse>;

interface AskDeps {
  /** For people, in messages. */
  readonly name: string;
  readonly http: RemoteHttp;
  readonly guard: RemoteGuard;
  readonly readThrottle: (response: RemoteResponse) => Throttle;
  /** What else is a failure of the whole call, for an API that says so inside a 200. */
  readonly judge?: (response: RemoteResponse) => JobError | undefined;
  /** How long a throttled request has to wait, for an API that tells it elsewhere; `undefined` if it does not. */
  readonly findWaitMs?: (
    request: RemoteRequest,
    signal: AbortSignal,
  ) => Promise<number | undefined>;
}

/**
 * The one path of every call: through the guard, out, and judged.
 *
 * Throttled comes first, since it may hide in a 200; the guard learns from the answer itself, and the
 * error follows outside of it, so that a full quota never looks like an outage.
 */
export function openAsk({ name, http, guard, readThrottle, judge, findWaitMs }: AskDeps): Ask {
  async function told(response: RemoteResponse, request: RemoteRequest, signal: AbortSignal) {
    const throttle = readThrottle(response);
    if (!throttle.isThrottled || throttle.retryAfterMs !== undefined) return throttle;
    const retryAfterMs = await findWaitMs?.(request, signal);
    return retryAfterMs === undefined ? throttle : { ...throttle, retryAfterMs };
  }

  return async (request, { signal, cost = 1, tolerates, ownQuota = false, anyBody = false }) => {
    const { response, throttle } = await guard.call({ cost, signal }, async () => {
      const response = await http.request(request, signal);
      const throttle = await told(response, request, signal);
      if (!throttle.isThrottled && tolerates?.(response) !== true) {
        const failure = failureOf(name, response, throttle) ?? judge?.(response);
        if (failure !== undefined) throw failure;
        if (response.body === undefined && !anyBody) throw notJson(name, response);
      }
      return {
        value: { response, throttle },
        throttle: ownQuota ? withoutNumbers(throttle) : throttle,
      };
    });
    if (throttle.isThrottled) throw limited(name, response, throttle);
    return response;
  };
}

const withoutNumbers = ({ isThrottled, retryAfterMs }: Throttle): Throttle =>
  retryAfterMs === undefined ? { isThrottled } : { isThrottled, retryAfterMs };
