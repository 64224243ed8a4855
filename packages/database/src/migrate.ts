#!/usr/bin/env node
import { databaseUrl } from "./database-url.ts";
import { migrate } from "./migrator.ts";

const { url, problem } = databaseUrl(process.env);
if (url === undefined) {
  console.error(problem);
  process.exit(78);
}
const applied = await migrate(url);
console.log(applied.length === 0 ? "schema is up to date" : `applied ${applied.join(", ")}`);
