/** Write the dashboards and the alert rules: `node infra/local/launch.mjs infra/grafana/src/generate.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { madeFiles } from "./made-files.ts";

for (const [path, text] of madeFiles()) writeFileSync(join(import.meta.dirname, "..", path), text);
