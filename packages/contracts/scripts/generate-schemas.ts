import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jobs, schemaText } from "./schemas.ts";

for (const [name, job] of jobs) {
  const file = join(import.meta.dirname, "../schemas", `${name}.json`);
  writeFileSync(file, schemaText(job));
}
