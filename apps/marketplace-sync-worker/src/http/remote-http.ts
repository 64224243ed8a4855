import {
  CERTIFICATE_REFUSED,
  DependencyDownError,
  isCertificateCode,
  JobError,
  type Log,
} from "@ballast/jobs";
import { Axios } from "axios";
import { Agent } from "undici";
import { checkAddress, publicLookup } from "./addresses.ts";
import { AnswerError } from "./answer-error.ts";
import { gunzipBounded } from "./gunzip.ts";
import { timeLimit } from "./time-limit.ts";
import { type Answer, undiciAdapter } from "./undici-adapter.ts";

/** What to ask a remote. */
export interface RemoteRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string goes out as it is. */
  readonly body?: unknown;
  /** Texts that must not come back in the answer, since a remote may repeat what it was sent. */
  readonly secrets?: readonly string[];
  /** The answer is a gzip file, although no header says so. */
  readonly isGzip?: boolean;
}

/** What a remote answered, whatever its status. */
export interface RemoteResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; `undefined` if the answer was empty or is no JSON. */
  readonly body: unknown;
  /** The answer's first characters, for people; scrub before showing. */
  readonly excerpt: string;
  readonly sizeBytes: number;
}

/** The one way out: bounded in time and size, verified TLS, no redirects. */
export interface RemoteHttp extends AsyncDisposable {
  /**
   * Ask, and return the answer whatever its status is.
   *
   * @throws the abort's reason if `signal` aborted; `DependencyDownError` if there was no whole answer within
   *   the bounds; `PermanentError` if the address may not be asked. None holds an address, a header or a body
   */
  request(request: RemoteRequest, signal: AbortSignal): Promise<RemoteResponse>;
}

export interface RemoteHttpOptions {
  readonly log: Log;
  /**
   * May remotes be on this machine or in a private network, and be spoken to without TLS? For tests, drills
   * and shops behind the same firewall. Default no: accounts are set up by people outside.
   */
  readonly allowPrivate?: boolean;
  /** TCP and TLS. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Until the answer's headers are there. Default 20,000: large batches take shops many seconds. */
  readonly headersTimeoutMs?: number;
  /** From the first byte sent to the last one read, so that a remote that drips ends too. Default 30,000. */
  readonly timeoutMs?: number;
  /** Largest answer read; the rest is not waited for. Default 16 MiB: 100 products with all their texts. */
  readonly maxAnswerBytes?: number;
}

const USER_AGENT = "Ballast/1";

/**
 * Open the way out to marketplaces.
 *
 * Axios on a pool of undici, which takes a fraction of the time of Axios' own transport. Connections are
 * not limited in number: accounts share hosts, and one that hangs must not keep the others waiting.
 */
export function openRemoteHttp(options: RemoteHttpOptions): RemoteHttp {
  const {
    log,
    allowPrivate = false,
    connectTimeoutMs = 5_000,
    headersTimeoutMs = 20_000,
    timeoutMs = 30_000,
    maxAnswerBytes = 16 * 1_048_576,
  } = options;
  const agent = new Agent({
    allowH2: false, // one connection would carry the calls of many accounts
    headersTimeout: headersTimeoutMs,
    bodyTimeout: timeoutMs,
    connect: {
      timeout: connectTimeoutMs,
      ...(allowPrivate ? {} : { lookup: publicLookup }),
    },
  });
  // The class, for what `axios.create` adds, transforms and headers of each method, made up a fifth of a call.
  const client = new Axios({
    maxContentLength: maxAnswerBytes,
    // The whole answer's status is looked at by those who know the API.
    validateStatus: null,
  });
  return {
    async request({ method, url, headers, body, secrets = [], isGzip = false }, signal) {
      signal.throwIfAborted();
      checkAddress(url, { allowPrivate });
      const time = timeLimit(signal, timeoutMs);
      try {
        const { status, data: answer } = await client.request<Answer>({
          method,
          url,
          data: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
          headers: {
            "User-Agent": USER_AGENT,
            Accept: "application/json",
            ...(body === undefined || typeof body === "string"
              ? {}
              : { "Content-Type": "application/json" }),
            ...headers,
          },
          adapter: undiciAdapter(agent, time.signal),
        });
        // We ask for no compression; some compress all the same.
        const isPacked = isGzip || answer.headers["content-encoding"] === "gzip";
        const read = readBody(
          isPacked
            ? await gunzipBounded(answer.bytes, { status, maxBytes: maxAnswerBytes })
            : answer.bytes,
          secrets,
        );
        if (read.body === undefined && read.sizeBytes > 0)
          log.warn(
            { host: hostOf(url), status, sizeBytes: read.sizeBytes },
            "remote answered no JSON",
          );
        return { status, headers: answer.headers, ...read };
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof JobError) throw error;
        const { code, message, status, sizeBytes } = asAnswerError(error);
        log.warn({ host: hostOf(url), code, status, sizeBytes }, "remote gave no whole answer");
        // Axios' own error holds the whole request, secrets included, so it is not kept as a cause.
        throw new DependencyDownError(code, message);
      } finally {
        time.release();
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}

const hostOf = (url: string): string => new URL(url).host;

const EXCERPT_LENGTH = 2_000;

function readBody(
  bytes: Buffer,
  secrets: readonly string[],
): Pick<RemoteResponse, "body" | "excerpt" | "sizeBytes"> {
  let text = bytes.toString("utf8");
  for (const secret of secrets)
    if (text.includes(secret)) text = text.replaceAll(secret, "[redacted]");
  return {
    body: parsed(text),
    excerpt: text.slice(0, EXCERPT_LENGTH),
    sizeBytes: bytes.byteLength,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node's and undici's errors have a code such as ECONNREFUSED or UND_ERR_SOCKET, and no secret in it. */
function asAnswerError(error: unknown): AnswerError {
  if (error instanceof AnswerError) return error;
  const { code } = error as { code?: unknown };
  if (isCertificateCode(code))
    return new AnswerError(CERTIFICATE_REFUSED, `its certificate is none that we trust (${code})`);
  return new AnswerError(
    "no_answer",
    `no answer (${typeof code === "string" ? code : "the connection failed"})`,
  );
}
