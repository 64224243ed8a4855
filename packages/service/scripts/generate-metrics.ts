import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withMetricTable } from "./metric-table.ts";

const readme = join(import.meta.dirname, "../README.md");
writeFileSync(readme, withMetricTable(readFileSync(readme, "utf8")));
