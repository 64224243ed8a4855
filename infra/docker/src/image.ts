import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dockerfile } from "./dockerfile.ts";

/** One target of the Dockerfile that is shipped. */
export interface Image {
  /** The app's folder, or `all`. */
  readonly name: string;
  /** `ballast/api`. */
  readonly repository: string;
  /** The app's own; of `all`, the API's. */
  readonly version: string;
  /** It may be this much larger than its base. */
  readonly limitBytes: number;
}

const MB = 1e6;
/** Node.js and what an app imports; a browser and fonts cost more. */
const LIMITS_MB: Readonly<Record<string, number>> = { "pdf-worker": 600, all: 900 };
const LIMIT_MB = 80;

export const appsOf = (root: string): string[] => readdirSync(join(root, "apps")).sort();

/** Every image, in the order of the Dockerfile: what was just built is the next one's cache. */
export function imagesOf(dockerfile: Dockerfile, root: string): Image[] {
  const shipped = new Set([...appsOf(root), "all"]);
  return [...dockerfile.stages.keys()]
    .filter((stage) => shipped.has(stage))
    .map((name) => ({
      name,
      repository: `ballast/${name}`,
      version: versionOf(join(root, "apps", name === "all" ? "api" : name)),
      limitBytes: (LIMITS_MB[name] ?? LIMIT_MB) * MB,
    }));
}

const versionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;

/** What only the moment of building knows; the Dockerfile has the rest. */
export function labelsOf(image: Image, root: string): Record<string, string> {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const isDirty = git("status", "--porcelain") !== "";
  return {
    "org.opencontainers.image.version": image.version,
    "org.opencontainers.image.revision": git("rev-parse", "HEAD") + (isDirty ? "-dirty" : ""),
    // The commit's time, not the clock's: the same commit makes the same labels.
    "org.opencontainers.image.created": git("log", "-1", "--format=%cI"),
  };
}
