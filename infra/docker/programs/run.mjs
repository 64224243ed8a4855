// What a container runs: `api`, or another app that this image has, or one of the tools beside it.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const apps = readdirSync(here).filter((name) => existsSync(join(here, name, "dist/main.js")));
/** Programs of `@ballast/database`, which every app brings, and one of the API. */
const database = join(here, apps[0] ?? "", "node_modules/@ballast/database/dist");
const tools = {
  migrate: join(database, "migrate.js"),
  "create-key": join(database, "create-key.js"),
  ...(apps.includes("api") && { "judge-queues": join(here, "api/dist/judge-queues.js") }),
};

const [wanted = "", ...args] = process.argv.slice(2);
const program = apps.includes(wanted)
  ? join(here, wanted, "dist/main.js")
  : Object.hasOwn(tools, wanted)
    ? tools[wanted]
    : undefined;

if (program === undefined) {
  const known = [...apps, ...Object.keys(tools)].join(", ");
  console.error(`there is no program "${wanted}" in this image: the command is one of ${known}`);
  process.exit(78);
}
// As if it had been started by itself: it finds its version by its own path.
process.argv = [process.execPath, program, ...args];
await import(pathToFileURL(program).href);
