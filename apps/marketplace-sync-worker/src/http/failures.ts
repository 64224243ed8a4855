import {
  DependencyDownError,
  type JobError,
  PermanentError,
  RateLimitedError,
  type Throttle,
} from "@ballast/jobs";
import { scrubText } from "@ballast/service";
import type { RemoteResponse } from "./remote-http.ts";

/** A remote that says "too many" and nothing else. */
const UNTOLD_WAIT_MS = 5_000;
/** One that tells its rate alone: it has just been overrun, so a single call's time is not enough. */
const SHORTEST_UNTOLD_MS = 1_000;
const MAX_WORDS = 200;
/** Cleaning takes time by length, and of a longer message nobody sees more. */
const MAX_READ = 2_000;

/** The remote's quota is used up, and this is how long it asked us to stay away. */
export function limited(
  name: string,
  response: RemoteResponse,
  throttle: Throttle,
): RateLimitedError {
  const retryAfterMs = throttle.retryAfterMs ?? throttle.resetMs ?? untoldWaitMs(throttle);
  return new RateLimitedError(
    "rate_limited",
    `${name} answered ${response.status}: its quota is used up, ask again in ${retryAfterMs} ms`,
    { retryAfterMs },
  );
}

const untoldWaitMs = ({ restorePerSecond }: Throttle): number =>
  restorePerSecond === undefined
    ? UNTOLD_WAIT_MS
    : Math.max(SHORTEST_UNTOLD_MS, Math.ceil(1_000 / restorePerSecond));

/**
 * What an answer's status means where nothing else in it was understood; `undefined` for success.
 *
 * @param name how the remote is called, for people
 */
export function failureOf(
  name: string,
  response: RemoteResponse,
  throttle: Throttle,
): JobError | undefined {
  const { status } = response;
  const said = `${name} answered ${status}${words(response.excerpt)}`;
  if (status >= 200 && status < 300) return undefined;
  if (status === 401 || status === 403)
    return new DependencyDownError(
      "auth_failed",
      `${said}: check the account's credentials and their permissions`,
    );
  if (status === 400 || status === 413 || status === 422)
    return new PermanentError("request_refused", said);
  if (status >= 300 && status < 400)
    return new DependencyDownError(
      "redirected",
      `${name} answered ${status}: redirects are not followed, check the account's address`,
    );
  return new DependencyDownError(
    status >= 500 || status === 408 || status === 425 ? "remote_down" : "remote_refused",
    said,
    throttle.retryAfterMs === undefined ? {} : { retryAfterMs: throttle.retryAfterMs },
  );
}

/** A 200 that is a maintenance page, a captive portal, or half an answer: the API is not there. */
export const notJson = (name: string, { status, sizeBytes }: RemoteResponse) =>
  new DependencyDownError(
    "answer_not_json",
    `${name} answered ${status} with ${sizeBytes} bytes that are no JSON`,
  );

/** The first words of an answer, for people, without secrets and mail addresses. */
export function words(text: string): string {
  const line = scrubText(text.slice(0, MAX_READ)).replace(/\s+/g, " ").trim();
  return line === "" ? "" : `: ${line.slice(0, MAX_WORDS)}`;
}
