import { InvalidObjectKeyError } from "./errors.ts";

/** What a file name may have on every file system in use. */
const MAX_SEGMENT_LENGTH = 255;
/** S3's limit, which leaves room for a prefix. */
const MAX_KEY_LENGTH = 900;
const SEGMENT = /^[A-Za-z0-9._=-]+$/;

/**
 * Split a key into its segments.
 *
 * @throws {InvalidObjectKeyError} if the key could mean another place than the one it spells
 */
export function segmentsOf(key: string): [string, ...string[]] {
  const refuse = (reason: string) => new InvalidObjectKeyError(key, reason);
  if (key.length > MAX_KEY_LENGTH) throw refuse(`it is longer than ${MAX_KEY_LENGTH} characters`);

  const [first = "", ...others] = key.split("/");
  for (const segment of [first, ...others]) {
    if (segment === "") throw refuse("it has an empty segment, or begins or ends with /");
    if (segment === "." || segment === "..") throw refuse(`it has the segment ${segment}`);
    if (segment.length > MAX_SEGMENT_LENGTH) {
      throw refuse(`a segment is longer than ${MAX_SEGMENT_LENGTH} characters`);
    }
    if (!SEGMENT.test(segment))
      throw refuse("a segment has other characters than A-Z a-z 0-9 . _ = -");
  }
  return [first, ...others];
}
