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
import { type AnswerBody, readBody } from "./answer-body.ts";
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
  /** Largest answer read, where it may be larger than usual, or is always small. */
  readonly maxBytes?: number;
}

/** What a remote answered, whatever its status. */
export interface RemoteResponse extends AnswerBody {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
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
  /** Largest answer read; the rest is not waited for. Default 2 MiB: 10,000 items of 200 bytes. */
  readonly maxAnswerBytes?: number;
}

/** What is parsed of one takes up to 25; no answer may be larger than 4, or it alone could fill a worker. */
export const MIB = 1_048_576;
/** For an answer about one thing, of which an account may wait for several at a time. */
export const SMALL_BYTES = 65_536;

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
    maxAnswerBytes = 2 * MIB,
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
    // The whole answer's status is looked at by those who know the API.
    validateStatus: null,
  });
  return {
    async request(
      { method, url, headers, body, secrets = [], isGzip = false, maxBytes = maxAnswerBytes },
      signal,
    ) {
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
          maxContentLength: maxBytes,
          adapter: undiciAdapter(agent, time.signal),
        });
        // We ask for no compression; some compress all the same.
        const isPacked = isGzip || answer.headers["content-encoding"] === "gzip";
        const read = readBody(
          isPacked ? await gunzipBounded(answer.bytes, { status, maxBytes }) : answer.bytes,
          secrets,
        );
        if (read.body === undefined && read.sizeBytes > 0)
          log.warn(
            { host: hostOf(url), status, sizeBytes: read.sizeBytes },
            "remote answered no JSON",
          );
        return Object.assign(read, { status, headers: answer.headers });
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
