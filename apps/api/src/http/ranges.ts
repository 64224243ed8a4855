import { Problem } from "./problem.ts";

export interface ByteRange {
  readonly start: number;
  /** The last byte, included. */
  readonly end: number;
}

/**
 * Read a `Range` header.
 *
 * @returns `undefined` where the whole is to be sent: without the header, with several ranges, with a
 *   form we do not know, or where `If-Range` names another document
 * @throws {Problem} `range-not-satisfiable`
 * @see RFC 9110, section 14.2
 */
export function rangeOf(
  header: string | undefined,
  ifRange: string | undefined,
  etag: string,
  sizeBytes: number,
): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined; // no valid range
  if (start >= sizeBytes || start > end)
    throw new Problem("range-not-satisfiable", `the document has ${sizeBytes} bytes`, {
      headers: { "Content-Range": `bytes */${sizeBytes}` },
    });
  return { start, end };
}

/** Whether `If-None-Match` names what the caller would get. */
export const isUnchanged = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === "*" ||
    ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag));
