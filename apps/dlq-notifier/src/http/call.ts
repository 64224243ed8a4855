import {
  DependencyDownError,
  type JobError,
  PermanentError,
  RateLimitedError,
} from "@ballast/jobs";
import { scrubText } from "@ballast/service";
import axios, { type AxiosError, isAxiosError } from "axios";
import { retryAfterMs } from "./retry-after.ts";

export interface Call {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** How an outside service is called in messages, and the codes its failures bear. */
export interface Service {
  /** For people, e.g. `Slack`; never its address, which may be a secret. */
  readonly name: string;
  readonly codes: {
    /** It does not answer, or says that it cannot now. */
    readonly down: string;
    readonly limited: string;
    /** It answers and lets nobody in: a credential or an address is wrong. */
    readonly refused: string;
    /** It will never take this very request. */
    readonly rejected: string;
  };
}

/** From the first byte sent to the last one read. */
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 262_144;
const MAX_WORDS = 200;
const LIMITED_MS = 30_000;
/** Somebody has to mend the settings first. */
const REFUSED_MS = 600_000;

/**
 * Ask an outside service, and turn whatever else than success comes of it into an error of ours.
 *
 * Follows no redirect, reads a bounded answer, waits a bounded time. Errors hold neither address nor
 * headers, since both may be secret.
 *
 * @throws the abort's reason if `signal` aborted; otherwise a {@link JobError}
 */
export async function call(service: Service, wanted: Call, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const isJson = wanted.body !== undefined && typeof wanted.body !== "string";
  try {
    const { status, data, headers } = await axios.request<string>({
      method: wanted.method,
      url: wanted.url,
      data: isJson ? JSON.stringify(wanted.body) : wanted.body,
      headers: {
        "User-Agent": "ballast",
        ...(wanted.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...wanted.headers,
      },
      responseType: "text",
      transformResponse: (text: string) => text,
      transformRequest: (text: string) => text,
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      timeout: TIMEOUT_MS,
      // The timeout above counts silence; a remote that drips would never be silent.
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      validateStatus: () => true,
    });
    const text = typeof data === "string" ? data : "";
    const failure = failureOf(service, status, text, (name) => {
      const value: unknown = headers[name];
      return typeof value === "string" ? value : undefined;
    });
    if (failure !== undefined) throw failure;
    return { status, text };
  } catch (error) {
    signal.throwIfAborted();
    if (isAxiosError(error)) throw silent(service, error);
    throw error;
  }
}

/** What a status means for the job; `undefined` for success. */
function failureOf(
  { name, codes }: Service,
  status: number,
  text: string,
  header: (name: string) => string | undefined,
): JobError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const said = `${name} answered ${status}${words(text)}`;
  const afterMs = retryAfterMs(header("retry-after")) ?? untilReset(header);
  if (status === 429 || (status === 403 && afterMs !== undefined))
    return new RateLimitedError(codes.limited, said, { retryAfterMs: afterMs ?? LIMITED_MS });
  if (status >= 500 || status === 408 || status === 425)
    return new DependencyDownError(codes.down, said, waitFor(afterMs));
  if (status === 400 || status === 413 || status === 422)
    return new PermanentError(codes.rejected, said);
  return new DependencyDownError(
    codes.refused,
    `${said}: check its address and credentials in the settings`,
    waitFor(REFUSED_MS),
  );
}

const waitFor = (afterMs: number | undefined) =>
  afterMs === undefined ? {} : { retryAfterMs: afterMs };

/** GitHub names the moment instead. */
function untilReset(header: (name: string) => string | undefined): number | undefined {
  if (header("x-ratelimit-remaining") !== "0") return undefined;
  const resetMs = Number(header("x-ratelimit-reset")) * 1_000;
  return Number.isFinite(resetMs) ? Math.max(0, resetMs - Date.now()) : undefined;
}

/** The first words of an answer, for people. */
export function words(text: string): string {
  const line = scrubText(text.slice(0, 2_000)).replace(/\s+/g, " ").trim();
  return line === "" ? "" : `: ${line.slice(0, MAX_WORDS)}`;
}

/** No answer. Axios' own error holds the whole request, secrets included, so it is not kept as a cause. */
function silent({ name, codes }: Service, error: AxiosError): DependencyDownError {
  const why =
    error.code === "ERR_CANCELED" || error.code === "ECONNABORTED"
      ? `no answer within ${TIMEOUT_MS} ms`
      : (error.code ?? "no answer");
  return new DependencyDownError(codes.down, `${name} did not answer (${why})`);
}
