#!/usr/bin/env node
import { parseArgs } from "node:util";
import { createApiKey } from "./api-keys.ts";
import { openDatabase } from "./database.ts";
import { databaseUrl } from "./database-url.ts";
import type { ApiScope } from "./schema.ts";

const SCOPES: readonly ApiScope[] = ["read", "write", "operate"];
const USAGE = `usage: create-key NAME [--company UUID] [--scope ${SCOPES.join("|")}]…   without --company it reaches all of them, without --scope it may do everything`;

function refuse(why: string): never {
  console.error(`${why}\n${USAGE}`);
  process.exit(78);
}

const { url, problem } = databaseUrl(process.env);
if (url === undefined) refuse(problem);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { company: { type: "string" }, scope: { type: "string", multiple: true } },
});
const [name, ...more] = positionals;
if (name === undefined || more.length > 0) refuse("a key has one name, which says who uses it");
const scopes = SCOPES.filter((scope) => values.scope?.includes(scope) ?? true);
const unknown = values.scope?.find((scope) => !SCOPES.some((known) => known === scope));
if (unknown !== undefined) refuse(`there is no scope "${unknown}"`);

await using database = await openDatabase(url, { applicationName: "create-key", poolMax: 1 });
const companyId = values.company ?? null;
const { id, key } = await createApiKey(database.kysely, { name, companyId, scopes });
console.error(`made key ${id}; only its hash is kept, so this is the one time it is shown:`);
console.log(key);
