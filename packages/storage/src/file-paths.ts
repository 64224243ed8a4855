import { lstat, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { InvalidObjectKeyError } from "./errors.ts";
import { codeOf } from "./file-errors.ts";
import { segmentsOf } from "./object-key.ts";

/** Path of an object's file. Each folder on the way is a real one: a symbolic link could lead out of `root`. */
export async function existingPath(root: string, key: string): Promise<string | undefined> {
  const { folders, file } = split(key);
  let path = root;
  for (const name of folders) {
    path = join(path, name);
    if ((await kindOf(path)) !== "folder") return undefined;
  }
  return join(path, file);
}

/**
 * Like {@link existingPath}, but make the folders that are missing, durably.
 *
 * @throws {InvalidObjectKeyError} if something else is in the way
 */
export async function makePath(root: string, key: string): Promise<string> {
  const { folders, file } = split(key);
  let path = root;
  for (const name of folders) {
    const parent = path;
    path = join(path, name);
    const kind = await kindOf(path);
    if (kind === "none") await makeFolder(path, parent);
    if (kind === "other") {
      throw new InvalidObjectKeyError(key, `${path} is in the way: it is an object or a link`);
    }
  }
  return join(path, file);
}

/** Make a folder's entries survive a power cut; a file's own fsync does not cover its name. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function split(key: string): { folders: string[]; file: string } {
  const folders: string[] = segmentsOf(key);
  return { folders: folders.slice(0, -1), file: folders.at(-1) ?? "" };
}

async function kindOf(path: string): Promise<"none" | "folder" | "other"> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "other";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "none";
    throw error;
  }
}

async function makeFolder(path: string, parent: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o750 });
    await syncFolder(parent);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error; // another writer was first
  }
}
