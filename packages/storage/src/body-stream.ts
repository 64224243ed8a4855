import { Readable } from "node:stream";

interface BodyOptions {
  readonly signal: AbortSignal | undefined;
  /** Name what went wrong while reading. */
  readonly asError: (thrown: unknown) => unknown;
  /** Cut off what the chunks come from; called once, however reading ends. */
  readonly close: () => void;
}

/**
 * Hand out an object's bytes; aborting the signal destroys the stream with its reason.
 *
 * Not `Readable.from`: that one, when destroyed, waits for the chunk it asked for, so a silent server would hold it.
 */
export function bodyStream(chunks: AsyncIterable<Uint8Array>, options: BodyOptions): Readable {
  const { signal, asError, close } = options;
  const iterator = chunks[Symbol.asyncIterator]();
  const abort = () => stream.destroy(toError(signal?.reason));

  const stream = new Readable({
    async read() {
      try {
        const { done, value } = await iterator.next();
        this.push(done ? null : value);
      } catch (error) {
        this.destroy(toError(asError(error)));
      }
    },
    destroy(error, done) {
      signal?.removeEventListener("abort", abort);
      close();
      done(error);
    },
  });
  signal?.addEventListener("abort", abort, { once: true });
  return stream;
}

const toError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
