import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { AnswerError, tooLarge } from "./answer-error.ts";

const inflate = promisify(gunzip);

interface Bounds {
  readonly status: number;
  readonly maxBytes: number;
}

/** Unpack an answer of at most `maxBytes`: a bomb must not go off. */
export async function gunzipBounded(bytes: Buffer, { status, maxBytes }: Bounds): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw tooLarge(status, maxBytes, maxBytes);
    throw new AnswerError("answer_not_json", `answered ${status} with broken compression`, {
      status,
      sizeBytes: bytes.byteLength,
    });
  }
}
