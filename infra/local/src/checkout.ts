import { join, resolve } from "node:path";

/** The folder of this checkout. */
export const root = join(import.meta.dirname, "../../..");

/** Things that can be made again: unpacked browsers, copies of binaries. */
export const cacheDir = join(root, "node_modules", ".cache", "ballast");

/** Everything this checkout keeps between runs; `BALLAST_DATA_DIR` moves it, for a second stack beside the first. */
export const dataDirFrom = (env: NodeJS.ProcessEnv): string =>
  resolve(root, env["BALLAST_DATA_DIR"] || ".data");
