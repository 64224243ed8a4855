import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "./import-rules.ts";

/** Every TypeScript file of the workspace that we wrote. */
export const workspaceFiles = (root: string): SourceFile[] =>
  globSync("{apps,packages,infra}/*/{src,test,scripts}/**/*.ts", { cwd: root }).map((path) => ({
    path: path.replaceAll("\\", "/"),
    text: readFileSync(join(root, path), "utf8"),
  }));

/** The public paths of each package of ours, by name. */
export function workspaceExports(root: string): (packageName: string) => readonly string[] {
  const byName = new Map(
    globSync("{apps,packages,infra}/*/package.json", { cwd: root }).map((path) => {
      const { name, exports } = JSON.parse(readFileSync(join(root, path), "utf8"));
      return [name as string, Object.keys(exports ?? {})];
    }),
  );
  return (packageName) => byName.get(packageName) ?? [];
}
