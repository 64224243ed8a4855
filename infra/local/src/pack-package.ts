import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findOnPath } from "./engine.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

/** Build a published package and pack it, as its users would get it, into the file `tarball`. */
export function packPackage(root: string, folder: string, tarball: string): Promise<CommandResult> {
  const [pnpm = "pnpm", ...before] = pnpmCommand(root);
  return runCommand(pnpm, [...before, "pack", "--out", tarball], join(root, folder));
}

/** The launcher puts pnpm on PATH; without it npx brings the pinned one. */
function pnpmCommand(root: string): string[] {
  if (findOnPath("pnpm")) return ["pnpm"];
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return ["npx", "--yes", packageManager];
}
