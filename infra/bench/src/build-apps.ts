import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "@ballast/local";

/** Compile the apps as their images do. */
export async function buildApps(signal: AbortSignal): Promise<void> {
  const apps = readdirSync(join(root, "apps")).map((app) => join("apps", app));
  const tsc = join(root, "node_modules/.bin/tsc");
  await promisify(execFile)(tsc, ["-b", ...apps], { cwd: root, signal });
}
