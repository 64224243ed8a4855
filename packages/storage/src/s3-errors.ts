import { S3ServiceError } from "s3mini";
import { ObjectNotFoundError, StoreUnavailableError } from "./errors.ts";

interface Asked {
  readonly verb: string;
  readonly key: string;
  readonly bucket: string;
  readonly endpoint: string;
  readonly signal: AbortSignal | undefined;
}

/** The server has too much to do (408, 429, 5xx) or is not the bucket's (3xx); neither is about the object. */
const isAway = (status: number) =>
  status >= 500 || status === 408 || status === 429 || (status >= 300 && status < 400);

/** Name what a request to the server threw; an abort of the caller passes as its reason. */
export function asS3Error(thrown: unknown, asked: Asked): unknown {
  if (asked.signal?.aborted) return asked.signal.reason;
  for (const error of causesOf(thrown)) {
    if (error instanceof StoreUnavailableError || error instanceof RangeError) return error;
    // Not kept as the cause: its body repeats what was signed and with which key id.
    if (error instanceof S3ServiceError) return ofAnswer(error, asked);
  }
  return ofNetwork(thrown, asked);
}

function ofAnswer({ status, serviceCode = "Unknown" }: S3ServiceError, asked: Asked): Error {
  const { verb, key, bucket, endpoint } = asked;
  const refused = `${endpoint} answered ${status} ${serviceCode} to ${verb} ${bucket}/${key}`;
  if (serviceCode === "NoSuchBucket") {
    return new StoreUnavailableError(
      serviceCode,
      `${endpoint} has no bucket ${bucket}: create it, or correct STORAGE_URL`,
    );
  }
  if (status === 404) return new ObjectNotFoundError(key);
  if (status === 401 || status === 403) {
    return new StoreUnavailableError(
      serviceCode,
      `${refused}: check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and what they may do`,
      { accessDenied: true },
    );
  }
  if (isAway(status)) {
    const remedy = status < 400 ? ": name the bucket's own endpoint and region in STORAGE_URL" : "";
    return new StoreUnavailableError(serviceCode, refused + remedy);
  }
  return new Error(refused);
}

function ofNetwork(thrown: unknown, { verb, key, bucket, endpoint }: Asked): Error {
  const coded = causesOf(thrown).find((error) => "code" in error && typeof error.code === "string");
  const code = coded !== undefined && "code" in coded ? String(coded.code) : "network";
  return new StoreUnavailableError(
    code,
    `${endpoint} could not be asked for ${verb} ${bucket}/${key} (${code})`,
    { cause: thrown },
  );
}

function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let error = thrown; error instanceof Error && causes.length < 5; error = error.cause) {
    causes.push(error);
  }
  return causes;
}
