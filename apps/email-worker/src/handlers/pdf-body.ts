import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { DocumentFacts } from "@ballast/database";
import { DependencyDownError, PermanentError } from "@ballast/jobs";
import { ObjectNotFoundError, type ObjectStore, StoreUnavailableError } from "@ballast/storage";
import * as base64 from "nodemailer/lib/base64";

/**
 * Read a document's base64, in lines of 76 characters, as it was stored beside the PDF; if that is
 * absent or not of the PDF that was recorded, encode the PDF itself.
 *
 * Read to its end before the mail server is asked to take the mail: a store that stalls can then never
 * leave a mail half sent, whose outcome nobody could tell.
 *
 * @returns `undefined` if the PDF is not in the store as it was recorded
 * @throws {DependencyDownError} if the store does not answer; {@link PermanentError} if it is too large
 */
export async function readPdfBody(
  store: ObjectStore,
  document: DocumentFacts,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  const { sizeBytes, objectKey, mailBodyKey } = document;
  if (sizeBytes > maxBytes)
    throw new PermanentError(
      "attachment_too_large",
      `the PDF has ${sizeBytes} bytes, and mails carry at most ${maxBytes} (EMAIL_MAX_ATTACHMENT_BYTES): send it another way`,
    );
  if (mailBodyKey !== null) {
    const length = base64Length(sizeBytes);
    const body = await readObject(store, mailBodyKey, length + CRLF, signal);
    const isWhole = body?.length === length || body?.length === length + CRLF;
    if (isWhole && isThe(document, decoded(body))) return body;
  }
  const pdf = await readObject(store, objectKey, sizeBytes, signal);
  if (pdf === undefined || !isThe(document, [pdf])) return undefined;
  return Buffer.from(base64.wrap(base64.encode(pdf)));
}

/** Two renderings may be equally long, and the row may be that of another than the one stored last. */
function isThe({ sha256 }: DocumentFacts, pieces: Iterable<Buffer>): boolean {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex") === sha256;
}

const LINE = 76;
const CRLF = 2;
/** A string of a whole document would be one of V8's large objects, which cost seven times as much as what is done with it. */
const PIECE = 800 * (LINE + CRLF);

/** The bytes that lines of base64 stand for. */
function* decoded(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE)
    yield Buffer.from(body.toString("latin1", at, at + PIECE), "base64");
}

/** Bytes of `sizeBytes` as base64 in lines, without a line end after the last. */
function base64Length(sizeBytes: number): number {
  const characters = Math.ceil(sizeBytes / 3) * 4;
  return characters + CRLF * (Math.ceil(characters / LINE) - 1);
}

/** The object's bytes; `undefined` if there is none, or it is larger than `limit`. */
async function readObject(
  store: ObjectStore,
  key: string,
  limit: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    return await readAtMost(await store.get(key, { signal }), limit);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    if (error instanceof StoreUnavailableError)
      throw new DependencyDownError("storage_down", `the object store does not answer for ${key}`, {
        cause: error,
      });
    throw error;
  }
}

async function readAtMost(stream: Readable, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) return undefined; // leaving the loop destroys the stream
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 ? only : Buffer.concat(chunks, length);
}
