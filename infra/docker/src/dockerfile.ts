import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Dockerfile {
  /** The image everything is built on, with its digest. */
  readonly base: string;
  /** In the order of the file: each stage with its instructions, continued lines joined. */
  readonly stages: ReadonlyMap<string, readonly Instruction[]>;
}

export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  readonly text: string;
}

export const readDockerfile = (root: string): Dockerfile =>
  parseDockerfile(readFileSync(join(root, "infra/docker/Dockerfile"), "utf8"));

/** Read as much of a Dockerfile as this one uses. @throws {Error} without a base or with a stage that has no name */
export function parseDockerfile(text: string): Dockerfile {
  const joined = text.replace(/^\s*#.*\n/gm, "").replace(/\\\n/g, " ");
  const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(joined)?.[1];
  if (base === undefined) throw new Error("the Dockerfile names no NODE_IMAGE");
  const stages = new Map<string, Instruction[]>();
  let stage: Instruction[] | undefined;
  for (const line of joined.split("\n").filter((one) => one.trim() !== "")) {
    const [, keyword = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (keyword === "FROM") {
      const name = / AS (\S+)$/.exec(rest)?.[1];
      if (name === undefined) throw new Error(`the Dockerfile has a stage without a name: ${line}`);
      stage = [];
      stages.set(name, stage);
    }
    stage?.push({ keyword, text: rest.replace(/\s+/g, " ").trim() });
  }
  return { base, stages };
}
