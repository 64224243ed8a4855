import { root } from "@ballast/local";
import { type Instruction, readDockerfile } from "../src/dockerfile.ts";

export const dockerfile = readDockerfile(root);

/** What a stage does, with what it builds on. */
export function chain(stage: string): Instruction[] {
  const own = dockerfile.stages.get(stage);
  if (own === undefined) return [];
  const [from] = own;
  return [...chain(/^(\S+) AS/.exec(from?.text ?? "")?.[1] ?? ""), ...own];
}

/** What an image sets. */
export const envOf = (stage: string): Record<string, string> =>
  Object.fromEntries(
    chain(stage)
      .filter(({ keyword }) => keyword === "ENV")
      .flatMap(({ text }) => text.split(" ").map((one) => one.split("=") as [string, string])),
  );
