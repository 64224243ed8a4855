import { cpSync } from "node:fs";
import { join } from "node:path";

// Part of a release, once its versions are set: what is compared with from now on. Retired ones stay, as a memory.
cpSync(join(import.meta.dirname, "../schemas"), join(import.meta.dirname, "../released"), {
  recursive: true,
});
