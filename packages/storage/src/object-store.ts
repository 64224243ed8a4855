import type { Readable } from "node:stream";

interface Abortable {
  readonly signal?: AbortSignal;
}

/** Bytes from `start` to `end`, both included and counted from 0; an `end` behind the object's means its last byte. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Documents by key: segments of `A-Z a-z 0-9 . _ = -`, joined by `/`, at most 255 characters each.
 *
 * Every method throws {@link InvalidObjectKeyError} for another key, {@link StoreUnavailableError} when the store is away,
 * and the signal's reason once it is aborted.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Write an object whole: readers see the old one or the new one, never half. Safe to repeat. */
  put(
    key: string,
    body: Uint8Array,
    options: Abortable & { readonly contentType: string },
  ): Promise<void>;

  /**
   * Open an object for reading. A failure later on destroys the stream with the same kinds of error.
   *
   * @throws {ObjectNotFoundError} if there is none
   * @throws {RangeError} if the range begins behind the object's end, or is none
   */
  get(key: string, options?: Abortable & { readonly range?: ByteRange }): Promise<Readable>;

  /** Size of an object, or `undefined` if there is none. */
  stat(key: string, options?: Abortable): Promise<{ readonly sizeBytes: number } | undefined>;

  /** Remove an object if it is there. */
  delete(key: string): Promise<void>;
}

/** @throws {RangeError} if `range` cannot be one of any object */
export function checkRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`a range is two whole numbers, 0 <= start <= end; got ${start} to ${end}`);
  }
}

export const rangeBehindEnd = (key: string, { start, end }: ByteRange) =>
  new RangeError(`the range ${start} to ${end} begins behind the end of ${key}`);
