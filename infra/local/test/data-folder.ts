import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endLeftovers } from "../src/leftovers.ts";

/** A data folder of one test; what still runs on it ends with the test. Open to other accounts or not. */
export async function dataFolder(mode = 0o755) {
  const dir = await mkdtemp(join(tmpdir(), "ballast-local-test-"));
  await chmod(dir, mode);
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await endLeftovers(dir, true);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
