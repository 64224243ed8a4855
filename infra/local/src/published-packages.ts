import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packPackage } from "./pack-package.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

/** What other teams install, as they would get it. */
const published = ["packages/contracts", "packages/jobs"];

/** Pack each published package and let publint and attw look at the tarball. */
export async function checkPublished(root: string): Promise<CommandResult> {
  const results = [];
  for (const folder of published) results.push(await checkOne(root, folder));
  return {
    ok: results.every(({ ok }) => ok),
    output: results.map(({ output }) => output).join("\n"),
  };
}

async function checkOne(root: string, folder: string): Promise<CommandResult> {
  const into = mkdtempSync(join(tmpdir(), "ballast-pack-"));
  try {
    const tarball = join(into, "package.tgz");
    const packed = await packPackage(root, folder, tarball);
    if (!packed.ok) return packed;
    const looks = await Promise.all([
      runCommand("publint", ["run", tarball, "--strict"], root),
      runCommand("attw", [tarball, "--profile", "esm-only", "--no-emoji"], root),
    ]);
    return {
      ok: looks.every(({ ok }) => ok),
      output: looks
        .filter(({ ok }) => !ok)
        .map(({ output }) => `${folder}:\n${output}`)
        .join("\n"),
    };
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}
