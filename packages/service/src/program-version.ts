import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** What the package.json of the program that was started says. */
export function programVersion(program = process.argv[1]): string {
  try {
    const file = findPackageJSON(".", pathToFileURL(program ?? ""));
    const { version } = JSON.parse(readFileSync(file ?? "", "utf8")) as { version?: unknown };
    return typeof version === "string" ? version : "unknown";
  } catch {
    return "unknown"; // a program outside of any package
  }
}
