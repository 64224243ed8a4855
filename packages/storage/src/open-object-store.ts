import { openFileStore } from "./file-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { openS3Store, type S3Credentials } from "./s3-store.ts";
import { parseStorageUrl } from "./storage-url.ts";

/**
 * Open the place where documents are kept: `file:///absolute/folder`, or
 * `s3://bucket/prefix?endpoint=https://host&region=name` with credentials.
 *
 * A folder is made and must be writable; a server is first asked by the first call.
 *
 * @throws {TypeError} if the URL is neither, or S3's credentials are missing
 * @throws {StoreUnavailableError} if the folder cannot be used
 */
export async function openObjectStore(
  url: string,
  credentials?: S3Credentials,
): Promise<ObjectStore> {
  const location = parseStorageUrl(url);
  if (location.kind === "file") return openFileStore(location.folder);
  if (credentials === undefined) {
    throw new TypeError(
      "an s3: storage URL needs credentials: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY",
    );
  }
  return openS3Store(location, credentials);
}
