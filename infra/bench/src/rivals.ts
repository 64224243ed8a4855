import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../rivals");
const STAMP = join(FOLDER, "node_modules", ".installed");

/**
 * Install the alternatives, once for each state of their lockfile: 139 packages, 64 MB, which nobody needs who
 * runs the product or its tests.
 */
export async function installRivals(signal: AbortSignal): Promise<void> {
  const lockfile = readFileSync(join(FOLDER, "pnpm-lock.yaml"));
  const wanted = createHash("sha256").update(lockfile).digest("hex");
  if (installed() === wanted) return;
  const manifest = readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8");
  const { packageManager } = JSON.parse(manifest) as { packageManager: string };
  const args = ["--yes", packageManager, "install", "--frozen-lockfile", "--ignore-workspace"];
  const child = spawn("npx", args, {
    cwd: FOLDER,
    stdio: ["ignore", 2, 2], // stdout belongs to the results
    env: { ...process.env, CI: "1" },
    signal,
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`"npx ${args.join(" ")}" ended with ${code} in ${FOLDER}`);
  writeFileSync(STAMP, wanted);
}

function installed(): string | undefined {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return undefined;
  }
}
