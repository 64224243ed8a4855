import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jobContracts } from "@ballast/contracts";
import { breakingChanges, type JobSchema, type JobSchemas } from "./contract-changes.ts";
import type { CommandResult } from "./run-command.ts";

/** Hold the schemas of this checkout against those of the last release. */
export function checkReleased(root: string): CommandResult {
  const folder = join(root, "packages/contracts");
  const released = schemasIn(join(folder, "released"));
  const oldestKept = new Map(
    jobContracts.map((job) => [`${job.queue.name}.${job.name}`, job.oldestVersion]),
  );
  const broken = breakingChanges(released, schemasIn(join(folder, "schemas")), oldestKept);
  const ok = broken.length === 0;
  return {
    ok,
    output: ok
      ? `nothing breaks the ${released.size} released contracts`
      : `${broken.join("\n")}\nWithin a version only optional fields may be added: declare version + 1 beside it (packages/contracts/README.md).`,
  };
}

const schemasIn = (folder: string): JobSchemas =>
  new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => [
        file.slice(0, -".json".length),
        JSON.parse(readFileSync(join(folder, file), "utf8")) as JobSchema,
      ]),
  );
