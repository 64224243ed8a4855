import { run } from "./command.ts";

/** The commit that a branch, a tag or a hash names. @throws {Error} if this checkout has no such one */
export async function commitOf(ref: string, root: string): Promise<string> {
  const hash = await run("git", ["rev-parse", "--verify", `${ref}^{commit}`], { cwd: root }).catch(
    (cause: unknown) => {
      throw new Error(`"${ref}" names no commit here: fetch it, or name another`, { cause });
    },
  );
  return hash.trim();
}
