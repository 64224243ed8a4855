import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { bodyStream } from "./body-stream.ts";
import { InvalidObjectKeyError, ObjectNotFoundError, UnusableFolderError } from "./errors.ts";
import { asFileError, codeOf } from "./file-errors.ts";
import { existingPath, makePath, syncFolder } from "./file-paths.ts";
import { segmentsOf } from "./object-key.ts";
import { type ByteRange, checkRange, type ObjectStore, rangeBehindEnd } from "./object-store.ts";

/** Files being written; `~` is in no key, so no key leads here. On the same file system, or rename would copy. */
const INCOMING = "~incoming";
/** No write takes this long, so what is older was left by a process that died. */
const LEFTOVER_AGE_MS = 3_600_000;

const UNUSABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST"]);

/** Keep objects as files below `folder`, which is made if missing; the path of a file is its key. */
export async function openFileStore(folder: string): Promise<ObjectStore> {
  try {
    await mkdir(join(folder, INCOMING), { recursive: true, mode: 0o750 });
    const root = await realpath(folder);
    await removeLeftovers(join(root, INCOMING));
    return fileStore(root);
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (UNUSABLE.has(code)) throw new UnusableFolderError(folder, code, error);
    throw asFileError(error, folder);
  }
}

function fileStore(root: string): ObjectStore {
  const incoming = join(root, INCOMING);

  async function named<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      throw asFileError(error, root, signal);
    }
  }

  /** An unmounted folder is empty too, and must not look as if the object were gone. */
  async function noObject(): Promise<undefined> {
    await lstat(incoming);
    return undefined;
  }

  return {
    put: (key, body, { signal }) =>
      named(signal, async () => {
        segmentsOf(key); // refuse a bad key before anything is written
        const fresh = join(incoming, randomUUID());
        try {
          await writeDurably(fresh, body, signal);
          const path = await makePath(root, key);
          signal?.throwIfAborted();
          await moveInto(path, fresh, key);
          await syncFolder(dirname(path));
        } catch (error) {
          await rm(fresh, { force: true });
          throw error;
        }
      }),

    get: (key, { range, signal } = {}) =>
      named(signal, async () => {
        if (range !== undefined) checkRange(range);
        const path = await existingPath(root, key);
        const opened = path === undefined ? undefined : await openFile(path);
        if (opened !== undefined) return read(opened, { key, range, signal, root });
        await noObject();
        throw new ObjectNotFoundError(key);
      }),

    stat: (key, { signal } = {}) =>
      named(signal, async () => {
        const path = await existingPath(root, key);
        if (path === undefined) return noObject();
        try {
          const found = await lstat(path);
          return found.isFile() ? { sizeBytes: found.size } : noObject();
        } catch (error) {
          if (codeOf(error) === "ENOENT") return noObject();
          throw error;
        }
      }),

    delete: (key) =>
      named(undefined, async () => {
        const path = await existingPath(root, key);
        const found = path === undefined ? undefined : await openFile(path);
        if (path === undefined || found === undefined) return noObject();
        await found.file.close();
        await rm(path, { force: true });
      }),

    [Symbol.asyncDispose]: async () => undefined, // it holds nothing between calls
  };
}

async function writeDurably(path: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
  const file = await open(path, "wx", 0o640);
  try {
    await file.writeFile(body, signal === undefined ? {} : { signal });
    await file.sync();
  } finally {
    await file.close();
  }
}

async function moveInto(path: string, fresh: string, key: string): Promise<void> {
  try {
    await rename(fresh, path);
  } catch (error) {
    if (codeOf(error) !== "EISDIR") throw error;
    throw new InvalidObjectKeyError(key, "it is a folder of other objects");
  }
}

interface OpenFile {
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

/** Open a plain file; a link or folder counts as nothing. */
async function openFile(path: string): Promise<OpenFile | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await file.stat();
    if (found.isFile()) return { file, sizeBytes: found.size };
    await file.close();
    return undefined;
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

interface Read {
  readonly key: string;
  readonly root: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal | undefined;
}

async function read(
  { file, sizeBytes }: OpenFile,
  { key, root, range = { start: 0, end: sizeBytes }, signal }: Read,
): Promise<Readable> {
  if (range.start > 0 && range.start >= sizeBytes) {
    await file.close();
    throw rangeBehindEnd(key, range);
  }
  const behind = Math.min(range.end + 1, sizeBytes);
  return bodyStream(piecesOf(file, range.start, behind), {
    signal,
    asError: (thrown) => asFileError(thrown, root, signal),
    close: () => void file.close().catch(() => {}), // it was only read
  });
}

/** Each read is a trip to another thread: a document takes one. */
const PIECE_BYTES = 512 * 1_024;

async function* piecesOf(file: FileHandle, start: number, behind: number): AsyncGenerator<Buffer> {
  for (let at = start; at < behind; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, behind - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function removeLeftovers(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const found = await lstat(path).catch(() => undefined); // its writer may just have moved it
    if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_AGE_MS) {
      await rm(path, { force: true });
    }
  }
}
