import type { Readable } from "node:stream";
import { S3mini } from "s3mini";
import { bodyStream } from "./body-stream.ts";
import { ObjectNotFoundError, StoreUnavailableError } from "./errors.ts";
import { segmentsOf } from "./object-key.ts";
import { checkRange, type ObjectStore, rangeBehindEnd } from "./object-store.ts";
import { asS3Error } from "./s3-errors.ts";
import type { S3Location } from "./storage-url.ts";
import { openWatch, type Watch } from "./watch.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** How long the server may be silent, before its answer and within a body. */
const SILENCE_MS = 30_000;
/** An upload counts as silence until it is answered, so it gets time for its size: 100 kB/s. */
const UPLOAD_BYTES_PER_MS = 100;

/** Keep objects in a bucket of a server that speaks S3. Opening asks nothing of it yet. */
export function openS3Store(
  location: S3Location,
  credentials: S3Credentials,
  { silenceMs = SILENCE_MS }: { readonly silenceMs?: number } = {},
): ObjectStore {
  const { bucket, prefix, endpoint, region } = location;
  const closing = new AbortController();

  /** A client whose requests end with `watch`; s3mini itself takes no signal. */
  const clientFor = (watch: Watch) =>
    new S3mini({
      ...credentials,
      endpoint: `${endpoint}/${bucket}`,
      region,
      // A redirect would be followed with a signature that is made for another host.
      fetch: (input, init) => fetch(input, { ...init, signal: watch.signal, redirect: "manual" }),
    });

  async function ask<T>(
    asked: { verb: string; key: string; signal?: AbortSignal; timeoutMs?: number },
    work: (s3: S3mini, key: string, watch: Watch) => Promise<T>,
  ): Promise<T> {
    segmentsOf(asked.key);
    const watch = openWatch([closing.signal, asked.signal]);
    try {
      watch.signal.throwIfAborted();
      watch.start(asked.timeoutMs ?? silenceMs);
      const result = await work(clientFor(watch), prefix + asked.key, watch);
      watch.stop();
      return result;
    } catch (error) {
      watch.end();
      throw asS3Error(error, { signal: undefined, ...asked, bucket, endpoint });
    }
  }

  return {
    async put(key, body, { contentType, signal }) {
      const timeoutMs = silenceMs + body.byteLength / UPLOAD_BYTES_PER_MS;
      await ask({ verb: "PUT", key, timeoutMs, ...(signal && { signal }) }, (s3, path) =>
        s3.putObject(path, body, contentType),
      );
    },

    async get(key, { range, signal } = {}) {
      if (range !== undefined) checkRange(range);
      const asked = { verb: "GET", key, ...(signal && { signal }) };
      return ask(asked, async (s3, path, watch) => {
        const end = range && range.end + 1; // s3mini leaves the last byte out
        const response = await s3
          .getObjectRaw(path, range === undefined, range?.start, end)
          .catch((error) => {
            throw range && error?.status === 416 ? rangeBehindEnd(key, range) : error;
          });
        if (range !== undefined && response.status !== 206) {
          throw new StoreUnavailableError("NoRange", `${endpoint} answered a range with the whole`);
        }
        return bodyOf(response, { ...asked, bucket, endpoint, signal, watch, silenceMs });
      });
    },

    async stat(key, { signal } = {}) {
      try {
        const asked = { verb: "HEAD", key, ...(signal && { signal }) };
        return { sizeBytes: await ask(asked, (s3, path) => s3.getContentLength(path)) };
      } catch (error) {
        if (error instanceof ObjectNotFoundError) return undefined;
        throw error;
      }
    },

    async delete(key) {
      await ask({ verb: "DELETE", key }, (s3, path) => s3.deleteObject(path));
    },

    async [Symbol.asyncDispose]() {
      closing.abort(new StoreUnavailableError("closed", "the object store was closed"));
    },
  };
}

type Body = Parameters<typeof asS3Error>[1] & {
  readonly watch: Watch;
  readonly silenceMs: number;
};

function bodyOf(response: Response, body: Body): Readable {
  const { watch, silenceMs, signal } = body;

  async function* chunks() {
    watch.start(silenceMs);
    for await (const chunk of response.body ?? []) {
      watch.stop(); // a reader may take its time
      yield chunk;
      watch.start(silenceMs);
    }
    watch.stop();
  }
  return bodyStream(chunks(), {
    signal,
    asError: (thrown) => asS3Error(thrown, body),
    close: () => watch.end(),
  });
}
