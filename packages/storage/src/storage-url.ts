import { fileURLToPath } from "node:url";
import { segmentsOf } from "./object-key.ts";

export interface FileLocation {
  readonly kind: "file";
  /** Absolute path. */
  readonly folder: string;
}

export interface S3Location {
  readonly kind: "s3";
  readonly bucket: string;
  /** Empty, or segments that end with `/`. */
  readonly prefix: string;
  /** Origin of the server, path-style: the bucket is the first segment of each path. */
  readonly endpoint: string;
  readonly region: string;
}

const FORMS = "file:///absolute/folder or s3://bucket/prefix?endpoint=https://host&region=name";
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const DEFAULT_REGION = "us-east-1";

/**
 * Read where documents are kept.
 *
 * @throws {TypeError} if `url` is neither form; the message does not repeat it, since it may hold a secret
 */
export function parseStorageUrl(url: string): FileLocation | S3Location {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "file:") return fileLocation(parsed);
  if (parsed?.protocol === "s3:") return s3Location(parsed);
  throw new TypeError(`a storage URL has the form ${FORMS}`);
}

function fileLocation(url: URL): FileLocation {
  if (url.host !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("a file: storage URL is an absolute path and nothing else: file:///folder");
  }
  return { kind: "file", folder: fileURLToPath(url) };
}

function s3Location(url: URL): S3Location {
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(
      "an s3: storage URL holds no credentials: give them as S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY",
    );
  }
  for (const name of url.searchParams.keys()) {
    if (name !== "endpoint" && name !== "region") {
      throw new TypeError(`an s3: storage URL knows endpoint and region, not ${name}`);
    }
  }
  if (!BUCKET.test(url.hostname)) {
    throw new TypeError("an s3: storage URL names its bucket: s3://bucket, 3 to 63 of a-z 0-9 . -");
  }

  const region = url.searchParams.get("region") ?? DEFAULT_REGION;
  const endpoint = url.searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  return {
    kind: "s3",
    bucket: url.hostname,
    prefix: prefixOf(url),
    endpoint: originOf(endpoint),
    region,
  };
}

function prefixOf(url: URL): string {
  const path = url.pathname.replace(/^\/|\/$/g, "");
  if (path === "") return "";
  try {
    return `${segmentsOf(path).join("/")}/`;
  } catch {
    throw new TypeError(
      "the prefix of an s3: storage URL is segments of A-Z a-z 0-9 . _ = -, joined by /",
    );
  }
}

function originOf(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const bare = url !== undefined && url.href === `${url.origin}/`;
  if (!bare || !/^https?:$/.test(url.protocol)) {
    throw new TypeError("the endpoint of an s3: storage URL has the form https://host:port");
  }
  return url.origin;
}
