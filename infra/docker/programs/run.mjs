// What a container runs: `api`, or another app that this image has, or one of the tools beside it.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const apps = readdirSync(here).filter((name) => existsSync(join(here, name, "dist/main.js")));
/** Programs of packages that every app brings, and one of the API. */
const ours = join(here, apps[0] ?? "", "node_modules/@ballast");
const tools = {
  migrate: [join(ours, "database/dist/migrate.js"), join(ours, "jobs/dist/prepare-engine.js")],
  "create-key": [join(ours, "database/dist/create-key.js")],
  ...(apps.includes("api") && { "judge-queues": [join(here, "api/dist/judge-queues.js")] }),
};

const [wanted = "", ...args] = process.argv.slice(2);
const programs = apps.includes(wanted)
  ? [join(here, wanted, "dist/main.js")]
  : Object.hasOwn(tools, wanted)
    ? tools[wanted]
    : [];

if (programs.length === 0) {
  const known = [...apps, ...Object.keys(tools)].join(", ");
  console.error(`there is no program "${wanted}" in this image: the command is one of ${known}`);
  process.exit(78);
}
for (const program of programs) {
  // As if it had been started by itself: it finds its version by its own path.
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
}
